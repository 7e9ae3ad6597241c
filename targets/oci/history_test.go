package oci

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

// heard counts the bytes that a registry answers with.
type heard struct{ bytes atomic.Int64 }

func (h *heard) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		resp.Body = heardBody{resp.Body, &h.bytes}
	}
	return resp, err
}

type heardBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (b heardBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	return n, err
}

// editions publishes the same large page with other small ones, a day apart each.
func editions(t *testing.T, p place, texts ...string) []site.ID {
	t.Helper()
	var ids []site.ID
	for i, text := range texts {
		files := imagetest.Large(2 << 20)
		files["index.html"] = text
		rel := targettest.Release(files)
		rel.Published = rel.Published.AddDate(0, 0, i)
		if _, err := targettest.Publish(t.Context(), p.open(t, targets.Env{}), rel); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, rel.ID())
	}
	slices.Reverse(ids)
	return ids
}

func wantReleases(t *testing.T, tgt *Target, want ...site.ID) {
	t.Helper()
	past, err := tgt.Past(t.Context(), 10, nil)
	var got []site.ID
	for _, p := range past {
		got = append(got, p.Release)
		if p.Manifest.ID() != p.Release && p.Release != site.None {
			t.Errorf("%s: the manifest is another's", p.Release.Short())
		}
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("past: got %v, %v; want %v", got, err, want)
	}
}

// TestPastReadsNoImages has images of 2 MB: their lists are told, and the images not read.
func TestPastReadsNoImages(t *testing.T) {
	for _, program := range []string{realserver.DockerRegistry, realserver.Distribution} {
		t.Run(program, func(t *testing.T) {
			p := newPlace(t, realRegistry(t, program))
			ids := editions(t, p, "one", "two", "three")
			var h heard
			wantReleases(t, p.open(t, targets.Env{Transport: &h}), ids...)
			if n := h.bytes.Load(); n == 0 || n > 64<<10 {
				t.Errorf("%d bytes were read, want lists only", n)
			}
		})
	}
}

// TestPastOfWhatIsLiveWithoutAList has a registry that lost the live release's list, and
// another list that is not what it says.
func TestPastOfWhatIsLiveWithoutAList(t *testing.T) {
	p := newPlace(t, realRegistry(t, realserver.Distribution))
	ids := editions(t, p, "one", "two", "three")
	tgt := p.open(t, targets.Env{})
	forged := targettest.Release(targettest.Files{"index.html": "one"})
	list, err := writeList(forged.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	if _, err := tgt.pushList(t.Context(), forged, list, nil); err != nil { // says the truth of itself
		t.Fatal(err)
	}
	desc, err := tgt.reg.get(t.Context(), tgt.listTag(forged.ID()))
	if err != nil {
		t.Fatal(err)
	}
	lie := strings.ReplaceAll(string(desc.Manifest), string(forged.ID()), string(ids[1]))
	if err := tgt.reg.put(t.Context(), tgt.listTag(ids[1]), manifest{[]byte(lie), desc.MediaType}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []site.ID{ids[0], forged.ID()} {
		if deleted, err := tgt.reg.untag(t.Context(), tgt.listTag(id)); err != nil || !deleted {
			t.Fatal(deleted, err)
		}
	}
	wantReleases(t, p.open(t, targets.Env{}), ids[0], ids[2])
}

func TestPruneDropsLists(t *testing.T) {
	p := newPlace(t, realRegistry(t, realserver.Distribution))
	ids := editions(t, p, "one", "two", "three")
	tgt := p.open(t, targets.Env{})
	if err := tgt.Prune(t.Context(), targets.Retention{Keep: 2}); err != nil {
		t.Fatal(err)
	}
	tags, err := tgt.reg.tags(t.Context(), tgt.tag.Context())
	if err != nil || len(tags) != 5 { // live, and two images with their lists
		t.Errorf("tags: got %q, %v; want five", tags, err)
	}
	wantReleases(t, tgt, ids[:2]...)
}
