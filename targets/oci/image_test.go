package oci

import (
	"archive/tar"
	"bytes"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

// TestReproducible publishes one release from two machines to two registries: the same
// bytes, for each compression.
func TestReproducible(t *testing.T) {
	for _, compression := range []string{"gzip", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			var digests []string
			var layers [][]byte
			for range 2 {
				p := newPlace(t, embeddedRegistry(t))
				p.config.Compression = compression
				publish(t, p.open(t, targets.Env{State: t.TempDir()}), imagetest.Large(3<<20))
				digest, layer := lastLayer(t, p.tag)
				digests, layers = append(digests, digest), append(layers, layer)
			}
			if digests[0] != digests[1] || !bytes.Equal(layers[0], layers[1]) {
				t.Errorf("two publishes of one release: images %s, layers of %d and %d bytes", digests, len(layers[0]), len(layers[1]))
			}
		})
	}
}

func lastLayer(t *testing.T, ref name.Reference) (string, []byte) {
	t.Helper()
	img, err := remote.Image(ref, remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	r, err := layers[len(layers)-1].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return digest.String(), text
}

func TestImageSaysWhatItIs(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	publish(t, p.open(t, targets.Env{}), pages)
	rel := targettest.Release(pages)
	img, err := remote.Image(p.tag, remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	cf, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	m := manifestOf(t, p.tag)
	for key, want := range map[string]string{
		"mirror.release": string(rel.ID()), "org.opencontainers.image.version": string(rel.ID()),
		"mirror.beacon": site.DefaultBeacon, "mirror.web_root": "/site",
	} {
		if m.Annotations[key] != want || cf.Config.Labels[key] != want {
			t.Errorf("%s: annotation %q, label %q, want %q", key, m.Annotations[key], cf.Config.Labels[key], want)
		}
	}
	if cf.OS != "linux" || cf.Architecture != runtime.GOARCH || cf.Config.User != "65532:65532" {
		t.Errorf("config: got %s/%s as %s", cf.OS, cf.Architecture, cf.Config.User)
	}
	if want := []string{"/mirror", "serve", "/site", "--listen", ":8080"}; !slices.Equal(cf.Config.Entrypoint, want) {
		t.Errorf("entrypoint: got %q, want %q", cf.Config.Entrypoint, want)
	}
	if want := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC); !cf.Created.Equal(want) {
		t.Errorf("created: got %s, want %s", cf.Created, want)
	}
}

// TestImageServesCompressed has the server in the image compress, and publishes again when that changes.
func TestImageServesCompressed(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	publish(t, p.open(t, targets.Env{}), pages)
	p.config.Compress = []string{"gzip", "br"}
	publish(t, p.open(t, targets.Env{}), pages)
	img, err := remote.Image(p.tag, remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	cf, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/mirror", "serve", "/site", "--listen", ":8080", "--compress", "gzip,br"}; !slices.Equal(cf.Config.Entrypoint, want) {
		t.Errorf("entrypoint: got %q, want %q", cf.Config.Entrypoint, want)
	}
	p.config.Base = "nginx:alpine"
	if err := targets.Validate(p.config); err == nil || !strings.Contains(err.Error(), "compress") {
		t.Errorf("with another base: got %v", err)
	}
}

// TestBaseInSameRegistry mounts the base's layers: no byte of them travels.
func TestBaseInSameRegistry(t *testing.T) {
	addr := realRegistry(t, realserver.Distribution)
	p := newPlace(t, addr)
	p.config.Base = addr + "/bases/web:1"
	const heavy = 4 << 20
	base := imagetest.Append(t, bareImage(), []imagetest.Entry{
		{Header: tar.Header{Name: "opt/heavy"}, Text: []byte(imagetest.Large(heavy)["film.bin"])},
		{Header: tar.Header{Name: "usr/share/nginx/html/50x.html"}, Text: []byte("theirs")},
	})
	pushImage(t, mustTag(t, p.config.Base), base)
	var meter traffic
	tgt := p.open(t, targets.Env{Transport: &meter})
	publish(t, tgt, pages)
	if meter.sent > heavy/10 {
		t.Errorf("sent %d bytes, want the base's %d mounted", meter.sent, heavy)
	}
	img, err := remote.Image(p.tag, remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	files, err := imagetest.Unpack(img)
	if err != nil {
		t.Fatal(err)
	}
	if got := files["usr/share/nginx/html/50x.html"]; got != nil {
		t.Errorf("the base's page shines through: %q", got)
	}
	if len(files["opt/heavy"]) != heavy || string(files["usr/share/nginx/html/index.html"]) != pages["index.html"] {
		t.Error("the image has not both the base's files and the site's")
	}
	if held, err := tgt.ReadBack(t.Context()); err != nil || !slices.Equal(held, targettest.Release(pages).Manifest) {
		t.Errorf("read back: got %v, %v", held, err)
	}
}

// traffic counts requests and the bytes of their bodies.
type traffic struct {
	mu             sync.Mutex
	requests, sent int64
}

func (m *traffic) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return resp, err // no request: a registry that speaks no TLS is tried with it first
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests++
	if r.ContentLength > 0 {
		m.sent += r.ContentLength
	}
	return resp, nil
}

// TestAnImageOfTheSiteAlone needs no mirror binary for Linux, as on macOS and Windows.
func TestAnImageOfTheSiteAlone(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.config.Base, p.config.SelfBinary = "none", "/nonexistent/mirror"
	p.config.Platforms = []string{"linux/amd64", "linux/riscv64"}
	tgt := p.open(t, targets.Env{State: t.TempDir()})
	publish(t, tgt, pages)
	wantPlatforms(t, p.tag, p.config.Platforms...)
	img, err := remote.Image(p.tag, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: "riscv64"}))
	if err != nil {
		t.Fatal(err)
	}
	cf, err := img.ConfigFile()
	if err != nil || len(cf.RootFS.DiffIDs) != 1 || len(cf.Config.Entrypoint) > 0 || cf.Config.User != "" {
		t.Errorf("got %+v, %v; want the layer of the site and no server", cf, err)
	}
	held, err := p.open(t, targets.Env{}).ReadBack(t.Context())
	if err != nil || !slices.Equal(held, targettest.Release(pages).Manifest) {
		t.Errorf("read back: got %v, %v", held, err)
	}
	plan, err := tgt.Plan(t.Context(), targettest.Release(pages))
	if err != nil || !plan.Changes.Empty() {
		t.Errorf("plan: got %+v, %v; want no change", plan.Changes, err)
	}
}
