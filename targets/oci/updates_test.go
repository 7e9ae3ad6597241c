package oci

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"mirror/internal/static"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/targettest"
)

// TestRandomUpdates publishes a site that changes at random: files are added, edited, renamed, deleted
// by the dozen, change case, and become folders and files again. After each publish the live image
// holds the site and nothing else, as the library, the server and this target read it.
// MIRROR_EXPERIMENT=full makes it 500 updates.
func TestRandomUpdates(t *testing.T) {
	t.Parallel()
	rounds := 25
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		rounds = 500
	}
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("MIRROR_SEED"), "1"), 10, 64)
	r := rand.New(rand.NewPCG(seed, 11))
	p := newPlace(t, embeddedRegistry(t))
	p.config.Base = "none"
	state, files := t.TempDir(), targettest.Files{}
	for i := range 40 {
		files[fmt.Sprintf("d%d/p%02d.html", i%5, i)] = strings.Repeat(fmt.Sprint("page ", i), 20)
	}
	deltas := 0
	for round := range rounds {
		if round > 0 {
			change(r, files)
		}
		if r.IntN(8) == 0 {
			state = t.TempDir() // another machine
		}
		rel := targettest.Release(maps.Clone(files))
		rel.Published = rel.Published.AddDate(0, 0, round)
		if _, err := targettest.Publish(t.Context(), p.open(t, targets.Env{State: state}), rel); err != nil {
			t.Fatalf("seed %d, round %d: %v", seed, round, err)
		}
		if layers := wantExactly(t, p, rel, files); layers > 1 {
			deltas++
		}
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
	if deltas < rounds/2 {
		t.Errorf("%d of %d images have more than one layer of the site", deltas, rounds)
	}
}

// change makes one random change of a site.
func change(r *rand.Rand, files targettest.Files) {
	paths := slices.Sorted(maps.Keys(files))
	pick := func() string { return paths[r.IntN(len(paths))] }
	set := func(p string) { // where the site can have it
		for _, other := range paths {
			if strings.HasPrefix(other, p+"/") || strings.HasPrefix(p, other+"/") {
				delete(files, other)
			}
		}
		files[p] = strings.Repeat(fmt.Sprint(r.Uint64()), 1+r.IntN(20))
	}
	switch kind := r.IntN(8); {
	case kind == 0 || len(paths) < 10:
		for range 10 {
			set(fmt.Sprintf("d%d/e%d/p%d.html", r.IntN(6), r.IntN(3), r.IntN(50)))
		}
	case kind == 1:
		for range 3 {
			files[pick()] = strings.Repeat(fmt.Sprint(r.Uint64()), 1+r.IntN(20))
		}
	case kind == 2: // a rename
		p := pick()
		text := files[p]
		delete(files, p)
		set(p + "x")
		files[p+"x"] = text
	case kind == 3: // case
		p := pick()
		delete(files, p)
		set(path.Join(path.Dir(p), strings.ToUpper(path.Base(p))))
	case kind == 4: // a file becomes a folder
		p := pick()
		delete(files, p)
		set(p + "/index.html")
	case kind == 5: // a folder becomes a file
		set(path.Dir(pick()))
	case kind == 6: // many are deleted
		for _, p := range paths {
			if len(files) > 3 && r.IntN(3) == 0 {
				delete(files, p)
			}
		}
	case kind == 7: // a folder moves
		from := path.Dir(pick())
		for _, p := range paths {
			if below, ok := strings.CutPrefix(p, from+"/"); ok && from != "." {
				delete(files, p)
				set("moved" + strconv.Itoa(r.IntN(2)) + "/" + below)
			}
		}
	}
	delete(files, ".")
	if len(files) == 0 {
		files["index.html"] = "home"
	}
}

// wantExactly fails unless the live image holds the files, the beacon and their folders, and returns in
// how many layers.
func wantExactly(t *testing.T, p place, rel *site.Release, files targettest.Files) int {
	t.Helper()
	img := liveImage(t, p)
	wantFileSystem(t, img, rel, files)
	unpacked, err := static.Unpack(img, t.TempDir(), static.ImageLimits{})
	if err != nil {
		t.Fatal(err)
	}
	defer unpacked.Close()
	if got, want := unpacked.Paths(), len(files)+1; len(got) != want {
		t.Errorf("the server finds %d files, want %d: %q", len(got), want, got)
	}
	if held, err := p.open(t, targets.Env{}).ReadBack(t.Context()); err != nil || !slices.Equal(held, rel.Manifest) {
		t.Errorf("read back: got %v, %v; want %v", held, err, rel.Manifest)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) > maxDepth {
		t.Errorf("the site is in %d layers", len(layers))
	}
	const about = 64 // the sizes of beacons differ
	if stored := contentOf(t, layers); stored > maxDeadPart*(rel.Manifest.Bytes()+int64(len(rel.Beacon())))+about {
		t.Errorf("the layers hold %d bytes for a site of %d", stored, rel.Manifest.Bytes())
	}
	return len(layers)
}

// wantFileSystem unpacks an image with the library's code.
func wantFileSystem(t *testing.T, img v1.Image, rel *site.Release, files targettest.Files) {
	t.Helper()
	beacon := "site/" + rel.BeaconPath
	want := map[string]string{beacon: ""}
	for p, text := range files {
		want["site/"+p] = text
	}
	folders := map[string]bool{}
	for p := range want {
		for up := path.Dir(p); up != "."; up = path.Dir(up) {
			folders[up] = true
		}
	}
	all := mutate.Extract(img)
	defer all.Close()
	got := map[string]string{}
	for r := tar.NewReader(all); ; {
		hdr, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := path.Clean(hdr.Name)
		var text bytes.Buffer
		if _, err := io.Copy(&text, r); err != nil {
			t.Fatal(err)
		}
		if hdr.Typeflag == tar.TypeDir {
			if !folders[name] {
				t.Errorf("the image has the folder %s, and nothing is in it", name)
			}
			continue
		}
		got[name] = text.String()
	}
	if b, err := site.ParseBeacon([]byte(got[beacon])); err != nil || b.Release != rel.ID() {
		t.Errorf("beacon: got %q, %v", got[beacon], err)
	}
	want[beacon] = got[beacon] // of an earlier publish where the site is as it was then
	if !maps.Equal(got, want) {
		t.Errorf("the image holds %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// contentOf adds up the content of layers.
func contentOf(t *testing.T, layers []v1.Layer) (n int64) {
	t.Helper()
	for _, l := range layers {
		content, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(content); ; {
			hdr, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			n += hdr.Size
		}
		if err := content.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return n
}
