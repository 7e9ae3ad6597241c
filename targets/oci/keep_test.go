package oci

import (
	"archive/tar"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

// putEntries puts a layer on the live image, which may be none.
func (p place) putEntries(t *testing.T, entries ...imagetest.Entry) {
	t.Helper()
	img, err := remote.Image(p.tag, remoteOptions()...)
	if err != nil {
		img = bareImage()
	}
	pushImage(t, p.tag, imagetest.Append(t, img, entries))
}

func entry(kind byte, name, target string) imagetest.Entry {
	return imagetest.Entry{Header: tar.Header{Typeflag: kind, Name: name, Linkname: target}}
}

// headers returns the header of each entry in the top layer of an image.
func headers(t *testing.T, img v1.Image) map[string]tar.Header {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	r, err := layers[len(layers)-1].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all := map[string]tar.Header{}
	for tr := tar.NewReader(r); ; {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all[hdr.Name] = *hdr
	}
}

func liveImage(t *testing.T, p place) v1.Image {
	t.Helper()
	img, err := remote.Image(p.tag, remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestKeptLayer carries files, links and folders over: with their modes, owners and times, and
// in a layer that is the same however often and by whomever the site is published.
func TestKeptLayer(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	publish(t, p.open(t, targets.Env{}), pages)
	stored := time.Date(2026, 5, 4, 3, 2, 1, 500, time.UTC)
	photo := imagetest.File("site/uploads/photo.jpg", "photo")
	photo.Uid, photo.Gid, photo.ModTime = 1000, 1001, stored
	folder := entry(tar.TypeDir, "site/uploads", "")
	folder.Uid = 1000
	p.putEntries(t, folder, photo,
		entry(tar.TypeLink, "site/uploads/second.jpg", "site/uploads/photo.jpg"),
		entry(tar.TypeSymlink, "site/uploads/latest.jpg", "photo.jpg"),
		entry(tar.TypeSymlink, "site/uploads/etc", "/etc"),
		imagetest.File("site/evil.html", "evil"))
	p.putEntries(t, imagetest.File("site/uploads/sub/b.jpg", "b"))
	var layer string
	for i, files := range []targettest.Files{pages, {"index.html": "next"}, pages} {
		publish(t, p.open(t, targets.Env{Keep: targets.Keep{"uploads/**"}, State: t.TempDir()}), files)
		all := manifestOf(t, p.tag).Layers
		top := all[len(all)-1].Digest.String()
		if i > 0 && top != layer {
			t.Errorf("publish %d: the layer of kept files is %s, want %s again", i+1, top, layer)
		}
		layer = top
	}
	img := liveImage(t, p)
	held, err := imagetest.Unpack(img)
	if err != nil {
		t.Fatal(err)
	}
	if string(held["site/uploads/second.jpg"]) != "photo" || string(held["site/uploads/sub/b.jpg"]) != "b" || held["site/evil.html"] != nil {
		t.Errorf("the image holds %q", slices.Sorted(maps.Keys(held)))
	}
	all := headers(t, img)
	if h := all["site/uploads/photo.jpg"]; h.Uid != 1000 || h.Gid != 1001 || h.Mode != 0o755 || !h.ModTime.Equal(stored.Truncate(time.Second)) {
		t.Errorf("photo.jpg: got %+v", h)
	}
	if h := all["site/uploads/"]; h.Uid != 1000 {
		t.Errorf("the folder: got %+v, want its owner", h)
	}
	if h := all["site/uploads/latest.jpg"]; h.Typeflag != tar.TypeSymlink || h.Linkname != "photo.jpg" {
		t.Errorf("latest.jpg: got %+v, want the link", h)
	}
}

// TestKeptRefused holds files at kept paths that no next image can hold: the plan and the staging
// name one, and nothing is staged. What is live can be listed all the same.
func TestKeptRefused(t *testing.T) {
	for _, c := range []struct {
		name, path, want string
		entries          []imagetest.Entry
		most             int64
		staged           bool // the plan cannot tell
	}{
		{"too large", "uploads/b", "a volume", []imagetest.Entry{imagetest.File("site/uploads/a", "1234567"), imagetest.File("site/uploads/b", "1234567")}, 10, false},
		{"a site's folder", "index.html", "rename one", []imagetest.Entry{entry(tar.TypeDir, "site/index.html", ""), imagetest.File("site/index.html/a", "1")}, 100, false},
		{"a name of a deletion", "uploads/.wh.d/a", ".wh.", []imagetest.Entry{imagetest.File("site/uploads/.wh.d/a", "1")}, 100, false},
		{"a device", "uploads/null", "neither a file", []imagetest.Entry{entry(tar.TypeChar, "site/uploads/null", "")}, 100, true},
		{"a second name of what is not kept", "uploads/about", "neither a file", []imagetest.Entry{imagetest.File("site/other", "1"), entry(tar.TypeLink, "site/uploads/about", "site/other")}, 100, true},
		{"a circle of names", "uploads/a", "neither a file", []imagetest.Entry{entry(tar.TypeLink, "site/uploads/a", "site/uploads/b"), entry(tar.TypeLink, "site/uploads/b", "site/uploads/a")}, 100, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, embeddedRegistry(t))
			publish(t, p.open(t, targets.Env{}), targettest.Files{"start.html": "x"})
			p.putEntries(t, c.entries...)
			tgt := p.open(t, targets.Env{Keep: targets.Keep{"uploads/**", "index.html/**"}})
			tgt.maxKept = c.most
			rel := targettest.Release(pages)
			_, err := tgt.Plan(t.Context(), rel)
			if c.staged && err == nil {
				err = tgt.Stage(t.Context(), rel, nil)
			}
			var refused *targets.RefusedError
			if !errors.As(err, &refused) || refused.Path != c.path || !strings.Contains(err.Error(), c.want) || refused.Hint == "" {
				t.Errorf("got %v, want %s refused with %q", err, c.path, c.want)
			}
			if err := tgt.Stage(t.Context(), rel, nil); !errors.As(err, &refused) {
				t.Errorf("stage: got %v, want a refusal", err)
			}
			if h, err := tgt.look(t.Context(), tgt.stagedTag(rel.ID())); err != nil || h != nil {
				t.Errorf("the release is staged (%v)", err)
			}
			if held, err := tgt.ReadBack(t.Context()); err != nil || len(held) == 0 {
				t.Errorf("read back: got %v, %v", held, err)
			}
		})
	}
}

// TestKeptIsBounded reads an image whose layers have more content at kept paths than the files
// that they come to.
func TestKeptIsBounded(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	publish(t, p.open(t, targets.Env{}), pages)
	p.putEntries(t, imagetest.File("site/uploads/a", strings.Repeat("x", 4096)), imagetest.File("site/uploads/a", "1"))
	tgt := p.open(t, targets.Env{Keep: targets.Keep{"uploads/**"}})
	tgt.maxKept = 1024
	if err := tgt.Stage(t.Context(), targettest.Release(pages), nil); err == nil || !strings.Contains(err.Error(), "more bytes") {
		t.Errorf("got %v, want the bound", err)
	}
}

// TestKeptEverything keeps all paths: the live beacon is not carried over in place of the new
// one, and the release's own files are the release's.
func TestKeptEverything(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	keep := targets.Env{Keep: targets.Keep{"**"}}
	for _, files := range []targettest.Files{pages, {"index.html": "next"}} {
		rel := targettest.Release(files)
		swap, err := targettest.Publish(t.Context(), p.open(t, keep), rel)
		if err != nil {
			t.Fatal(err)
		}
		beacon, err := p.read(rel.BeaconPath)
		if err != nil || !strings.Contains(string(beacon), string(swap.To)) {
			t.Errorf("beacon: got %q, %v; want that of %s", beacon, err, swap.To.Short())
		}
		if held, err := p.open(t, keep).ReadBack(t.Context()); err != nil || held.ID() != swap.To {
			t.Errorf("read back: got %v, %v", held, err)
		}
	}
}

// TestKeptOnEachPlatform puts what is kept into the image of each platform.
func TestKeptOnEachPlatform(t *testing.T) {
	addr := embeddedRegistry(t)
	p := newPlace(t, addr)
	p.config.Base, p.config.WebRoot, p.config.Platforms = addr+"/bases/web:1", "/site", []string{"linux/amd64", "linux/arm64"}
	pushIndex(t, mustTag(t, p.config.Base), "amd64", "arm64")
	p.putEntries(t, imagetest.File("site/uploads/a.jpg", "a"))
	tgt := p.open(t, targets.Env{Keep: targets.Keep{"uploads/**"}})
	swap := publish(t, tgt, pages)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := remote.Image(p.tag, remote.WithPlatform(linux(arch)))
		if err != nil {
			t.Fatal(err)
		}
		if files, err := imagetest.Unpack(img); err != nil || string(files["site/uploads/a.jpg"]) != "a" {
			t.Errorf("%s: got %q, %v; want the kept file", arch, files["site/uploads/a.jpg"], err)
		}
	}
	if live, err := tgt.Live(t.Context()); err != nil || live.Release != swap.To {
		t.Errorf("live: got %+v, %v", live, err)
	}
}

// TestStagedBesideOtherKeptFiles stages a release, changes what is kept in the live image and
// stages it again: the image is made again. Where nothing has changed it is not.
func TestStagedBesideOtherKeptFiles(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	publish(t, p.open(t, targets.Env{}), targettest.Files{"index.html": "before"})
	p.putEntries(t, imagetest.File("site/uploads/a.jpg", "a"))
	keep, rel := targets.Env{Keep: targets.Keep{"uploads/**"}}, targettest.Release(pages)
	stage := func(env targets.Env) string {
		t.Helper()
		tgt := p.open(t, env)
		if err := tgt.Stage(t.Context(), rel, nil); err != nil {
			t.Fatal(err)
		}
		h, err := tgt.look(t.Context(), tgt.stagedTag(rel.ID()))
		if err != nil || h.release() != rel.ID() {
			t.Fatalf("staged: got %s, %v", h.release(), err)
		}
		return h.digest()
	}
	first := stage(keep)
	if again := stage(keep); again != first {
		t.Errorf("staged again: got %s, want %s", again, first)
	}
	p.putEntries(t, imagetest.File("site/uploads/a.jpg", "newer"))
	second := stage(keep)
	if second == first {
		t.Error("the staged image has the old kept file")
	}
	if without := stage(targets.Env{}); without == second {
		t.Error("the staged image has a file that is not kept any more")
	}
	if swap := publish(t, p.open(t, keep), pages); swap.From.Release != site.None {
		t.Errorf("from: got %+v", swap.From)
	}
	if got, err := p.read("uploads/a.jpg"); err != nil || string(got) != "newer" {
		t.Errorf("uploads/a.jpg: got %q, %v", got, err)
	}
}
