package static

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layer makes a layer of "name=content", "name->symlink", "name=>hardlink" and "name/".
func layer(t *testing.T, entries ...string) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Typeflag: tar.TypeReg, Mode: 0o644}
		var content string
		if file, link, ok := strings.Cut(e, "->"); ok {
			h.Typeflag, h.Name, h.Linkname = tar.TypeSymlink, file, link
		} else if file, link, ok := strings.Cut(e, "=>"); ok {
			h.Typeflag, h.Name, h.Linkname = tar.TypeLink, file, link
		} else if file, text, ok := strings.Cut(e, "="); ok {
			h.Name, content, h.Size = file, text, int64(len(text))
		} else {
			h.Typeflag, h.Name = tar.TypeDir, e
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return static.NewLayer(b.Bytes(), types.OCIUncompressedLayer)
}

// image makes an image of the layers, with the label if root is not "".
func image(t *testing.T, root string, layers ...v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	config := v1.Config{}
	if root != "" {
		config.Labels = map[string]string{webRootLabel: root}
	}
	if img, err = mutate.Config(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

func TestUnpack(t *testing.T) {
	for _, c := range []struct {
		name, root string
		layers     [][]string
		want       string
	}{
		{"one layer", "", [][]string{{"site/", "site/a=1", "site/b/c=2", "etc/passwd=x"}}, "a=1 b/c=2"},
		{"dotted names", "/srv/www", [][]string{{"./srv/www/a=1", "/srv/www/b=2", "srv/www/../../etc/x=3"}}, "a=1 b=2"},
		{"replaced", "", [][]string{{"site/a=1", "site/b=1"}, {"site/a=2"}}, "a=2 b=1"},
		{"whited out", "", [][]string{{"site/a=1", "site/d/x=1", "site/d/y=1"}, {"site/.wh.a=", "site/d/.wh.x="}}, "d/y=1"},
		{"folder whited out", "", [][]string{{"site/d/x=1", "site/d2=1"}, {"site/.wh.d="}}, "d2=1"},
		{"whited out and put back", "", [][]string{{"site/d/x=1", "site/d/y=1"}, {"site/.wh.d=", "site/d/x=2"}}, "d/x=2"},
		{"put back before the whiteout", "", [][]string{{"site/d/y=1"}, {"site/d/x=2", "site/.wh.d="}}, "d/x=2"},
		{"opaque", "", [][]string{{"site/d/x=1", "site/e=1"}, {"site/d/n=2", "site/d/.wh..wh..opq="}}, "d/n=2 e=1"},
		{"opaque root", "", [][]string{{"site/d/x=1", "site/e=1"}, {"site/.wh..wh..opq=", "site/n=2"}}, "n=2"},
		{"opaque above the root", "/a/b", [][]string{{"a/b/x=1"}, {"a/.wh..wh..opq=", "a/b/n=2"}}, "n=2"},
		{"whiteout above the root", "/a/b", [][]string{{"a/b/x=1"}, {".wh.a="}, {"a/b/n=3"}}, "n=3"},
		{"file in place of a folder", "", [][]string{{"site/d/x=1"}, {"site/d=2"}}, "d=2"},
		{"folder in place of a file", "", [][]string{{"site/d=1"}, {"site/d/x=2"}}, "d/x=2"},
		{"links", "", [][]string{{"site/a=1", "site/s->a", "site/d/t->../a", "site/u->/site/a", "site/h=>site/a", "site/x->../etc/passwd", "site/l->l", "etc/passwd=secret"}},
			"a=1 d/t=1 h=1 s=1 u=1"},
		{"neighbour of the root", "", [][]string{{"site2/a=1", "site/b=1", "sitemap=1"}}, "b=1"},
		{"whole image", "/", [][]string{{"a=1", "b/c=2"}}, "a=1 b/c=2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var layers []v1.Layer
			for _, entries := range c.layers {
				layers = append(layers, layer(t, entries...))
			}
			site, err := Unpack(image(t, c.root, layers...), t.TempDir(), ImageLimits{})
			if err != nil {
				t.Fatal(err)
			}
			defer site.Close()
			if got := listing(t, site); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func listing(t *testing.T, site *Image) string {
	t.Helper()
	var got []string
	for _, file := range slices.Sorted(maps.Keys(site.files)) {
		b, err := io.ReadAll(site.spool.Open(site.files[file]))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, file+"="+string(b))
	}
	return strings.Join(got, " ")
}

func TestUnpackRefuses(t *testing.T) {
	big := layer(t, "site/a="+strings.Repeat("x", 5000), "site/b=", "site/c=")
	for _, c := range []struct {
		name   string
		layer  v1.Layer
		limits ImageLimits
	}{
		{"no files", layer(t, "other/a=1"), ImageLimits{}},
		{"too many bytes", big, ImageLimits{Bytes: 4000}},
		{"too many entries", big, ImageLimits{Entries: 2}},
	} {
		site, err := Unpack(image(t, "", c.layer), t.TempDir(), c.limits)
		if !errors.Is(err, ErrBadImage) {
			t.Errorf("%s: %v, %v; want ErrBadImage", c.name, site, err)
		}
	}
}

func quietRegistry() http.Handler { return registry.New(registry.Logger(log.New(io.Discard, "", 0))) }

// counter is a registry that counts what a follower does.
type counter struct {
	next  http.Handler
	polls chan bool
	blobs atomic.Int64
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
		c.blobs.Add(1)
	}
	c.next.ServeHTTP(w, r)
	if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/") {
		c.polls <- true
	}
}

// wantRest lets some polls pass, in which nothing may be pulled.
func (c *counter) wantRest(t *testing.T) {
	t.Helper()
	before := c.blobs.Load()
	for range 3 + len(c.polls) {
		<-c.polls
	}
	if got := c.blobs.Load() - before; got != 0 {
		t.Errorf("%d blobs were pulled while the tag stood still", got)
	}
}

func TestFollower(t *testing.T) {
	count := &counter{next: quietRegistry(), polls: make(chan bool, 1000)}
	hub := httptest.NewServer(count)
	defer hub.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(hub.URL, "http://") + "/blog:latest")
	if err != nil {
		t.Fatal(err)
	}
	push := func(img v1.Image) {
		t.Helper()
		if err := remote.Write(ref, img); err != nil {
			t.Fatal(err)
		}
	}
	var s Swapper
	said := &lines{c: make(chan string, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	f := &Follower{Image: ref.String(), Poll: 5 * time.Millisecond, Dir: t.TempDir(), Log: said.logger()}
	go func() { done <- f.Run(ctx, &s) }()

	said.await(t, "cannot serve") // the tag does not exist yet
	if got := ask(t, &s, "GET", "/").StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("before the first push: %d, want 503", got)
	}
	push(image(t, "", layer(t, "site/index.html=one")))
	said.await(t, "serving the image")
	if got := body(t, ask(t, &s, "GET", "/")); got != "one" {
		t.Errorf("served %q, want one", got)
	}
	count.wantRest(t)
	push(image(t, "", layer(t, "elsewhere/index.html=bad")))
	said.await(t, "cannot serve")
	if got := body(t, ask(t, &s, "GET", "/")); got != "one" {
		t.Errorf("after a bad image %q is served, want one", got)
	}
	count.wantRest(t)
	push(image(t, "", layer(t, "site/index.html=two")))
	said.await(t, "serving the image")
	if got := body(t, ask(t, &s, "GET", "/")); got != "two" {
		t.Errorf("served %q, want two", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	s.Swap(nil, nil)
}

func TestPullFromIndex(t *testing.T) {
	hub := httptest.NewServer(quietRegistry())
	defer hub.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(hub.URL, "http://") + "/blog:multi")
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: image(t, "", layer(t, "site/a=other")), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "plan9", Architecture: "mips"}}})
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	site, err := Pull(t.Context(), ref, t.TempDir(), ImageLimits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer site.Close()
	if got := listing(t, site); got != "a=other" {
		t.Errorf("got %q, want the first image's site", got)
	}
}

func TestFollowerRefusesBadReference(t *testing.T) {
	f := &Follower{Image: "Not A Reference"}
	if err := f.Run(t.Context(), &Swapper{}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", f.Image)) {
		t.Errorf("Run = %v, want an error that names the reference", err)
	}
}

// layered is an image with other layers than its manifest lists. To make a manifest of so many takes minutes.
type layered struct {
	v1.Image
	layers []v1.Layer
}

// Layers are the other layers.
func (l layered) Layers() ([]v1.Layer, error) { return l.layers, nil }

func TestUnpackManyLayers(t *testing.T) {
	one := layer(t, "site/a=1")
	img := layered{image(t, "", one), slices.Repeat([]v1.Layer{one}, maxLayers+1)}
	if _, err := Unpack(img, t.TempDir(), ImageLimits{}); !errors.Is(err, ErrBadImage) || !strings.Contains(err.Error(), "1001 layers") {
		t.Errorf("got %v, want %v", err, ErrBadImage)
	}
}
