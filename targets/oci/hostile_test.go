package oci

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

// liar changes the body of each blob that it is asked for.
type liar struct{ change func([]byte) []byte }

func (l liar) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = l.change(body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), -1
	return resp, nil
}

// TestRegistryLies gets other bytes for a layer than its digest names.
func TestRegistryLies(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	publish(t, p.open(t, targets.Env{}), pages)
	other := newPlace(t, embeddedRegistry(t))
	publish(t, other.open(t, targets.Env{}), targettest.Files{"index.html": "other"})
	_, otherLayer := lastLayer(t, other.tag)
	for name, change := range map[string]func([]byte) []byte{
		"flipped": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut":     func(b []byte) []byte { return b[:len(b)-1] },
		"longer":  func(b []byte) []byte { return append(b, 0) },
		"empty":   func([]byte) []byte { return nil },
		"no tar":  func([]byte) []byte { return make([]byte, 1024) },
		"another": func([]byte) []byte { return otherLayer },
	} {
		m, err := p.open(t, targets.Env{Transport: liar{change}}).ReadBack(t.Context())
		if err == nil {
			t.Errorf("%s: read back %d files, want an error", name, len(m))
		}
	}
}

// TestLargeImageIsNotReadWithoutEnd reads an image larger than the bound.
func TestLargeImageIsNotReadWithoutEnd(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	tgt := p.open(t, targets.Env{})
	publish(t, tgt, imagetest.Large(2<<20))
	tgt.limits.Bytes = 1 << 20
	if _, err := tgt.ReadBack(t.Context()); err == nil || !strings.Contains(err.Error(), image.ErrTooLarge.Error()) {
		t.Errorf("got %v, want %v", err, image.ErrTooLarge)
	}
}

// TestAnnotationsLost copies the image without annotations, as conversions between formats
// do: the config's labels still tell the release.
func TestAnnotationsLost(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	tgt := p.open(t, targets.Env{})
	swap := publish(t, tgt, pages)
	img, err := remote.Image(p.tag, remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	copied := withoutAnnotations(t, img)
	pushImage(t, p.tag, copied)
	if live, err := tgt.Live(t.Context()); err != nil || live.Release != swap.To {
		t.Errorf("live: got %+v, %v; want release %s", live, err, swap.To.Short())
	}
	built := imagetest.Append(t, copied, []imagetest.Entry{imagetest.File("site/evil.html", "1")})
	pushImage(t, p.tag, built)
	if live, err := tgt.Live(t.Context()); err != nil || live.Release != site.None || live.Revision == "" {
		t.Errorf("live of an image built on ours: got %+v, %v; want no release", live, err)
	}
}

// withoutAnnotations copies an image as conversions between formats do.
func withoutAnnotations(t *testing.T, img v1.Image) v1.Image {
	t.Helper()
	cf, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	copied, err := mutate.AppendLayers(bareImage(), layers...)
	if err == nil {
		copied, err = mutate.ConfigFile(copied, cf)
	}
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// TestBuiltOnOurs appends a layer to the published image and keeps all that it says of
// itself: it is no release any more.
func TestBuiltOnOurs(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	tgt := p.open(t, targets.Env{})
	swap := publish(t, tgt, pages)
	img, err := remote.Image(p.tag, remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	built := mutate.Annotations(imagetest.Append(t, img, []imagetest.Entry{imagetest.File("site/evil.html", "1")}), manifestOf(t, p.tag).Annotations)
	pushImage(t, p.tag, built.(v1.Image))
	if live, err := tgt.Live(t.Context()); err != nil || live.Release != site.None {
		t.Errorf("live: got %+v, %v; want no release", live, err)
	}
	if err := tgt.Rollback(t.Context(), swap); !errors.Is(err, targets.ErrConflict) {
		t.Errorf("rollback: got %v, want ErrConflict", err)
	}
}

// TestStagedTagWasMoved puts another release's image under a staged tag: it is not what
// is to be committed, and staging puts it right.
func TestStagedTagWasMoved(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	tgt, rel := p.open(t, targets.Env{State: t.TempDir()}), targettest.Release(pages)
	before := publish(t, tgt, targettest.Files{"index.html": "other"})
	if err := tgt.Stage(t.Context(), rel, nil); err != nil {
		t.Fatal(err)
	}
	other, err := remote.Image(tgt.stagedTag(before.To), remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	pushImage(t, tgt.stagedTag(rel.ID()), other)
	live, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.open(t, targets.Env{}).Commit(t.Context(), targets.Swap{From: live, To: rel.ID()}); err == nil {
		t.Error("another release's image was committed")
	}
	publish(t, tgt, pages)
	if got, err := p.read("index.html"); err != nil || string(got) != pages["index.html"] {
		t.Errorf("read: got %q, %v", got, err)
	}
}
