package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"

	"mirror/site"
	"mirror/targets/oci/internal/image/imagetest"
)

func folder(name string) imagetest.Entry {
	return imagetest.Entry{Header: tar.Header{Name: name, Typeflag: tar.TypeDir}}
}

func link(kind byte, name, target string) imagetest.Entry {
	return imagetest.Entry{Header: tar.Header{Name: name, Typeflag: kind, Linkname: target}}
}

// stack reads layers, the lowest first, as an image with the site at /w/r.
func stack(t *testing.T, l Limits, layers ...[]imagetest.Entry) (site.Manifest, error) {
	t.Helper()
	files := NewTree("/w/r", l)
	for _, entries := range slices.Backward(layers) {
		if files.Complete() {
			break
		}
		if err := files.Layer(bytes.NewReader(imagetest.Tar(t, entries))); err != nil {
			return nil, err
		}
	}
	return files.Files("beacon"), nil
}

func TestLayersStack(t *testing.T) {
	type layer = []imagetest.Entry
	for _, c := range []struct {
		name   string
		layers []layer
		want   string // path=text …, in order; ? for a file of no known content
	}{
		{"upper wins", []layer{{imagetest.File("w/r/a", "1"), imagetest.File("w/r/b", "1")}, {imagetest.File("w/r/a", "2")}}, "a=2 b=1"},
		{"last of one layer wins", []layer{{imagetest.File("w/r/a", "1"), imagetest.File("./w/r/a", "2")}}, "a=2"},
		{"outside", []layer{{imagetest.File("w/x", "1"), imagetest.File("w/rr/a", "1"), imagetest.File("w/r/a", "1"), imagetest.File("w/r/../out", "1")}}, "a=1"},
		{"escape", []layer{{imagetest.File("../../w/r/a", "1"), imagetest.File("/w/r/b", "2")}}, "a=1 b=2"},
		{"beacon", []layer{{imagetest.File("w/r/beacon", "1"), imagetest.File("w/r/sub/beacon", "1")}}, "sub/beacon=1"},
		{"whiteout", []layer{{imagetest.File("w/r/a", "1"), imagetest.File("w/r/b", "1")}, {imagetest.File("w/r/.wh.a", "")}}, "b=1"},
		{"whiteout of a folder", []layer{{imagetest.File("w/r/d/a", "1"), imagetest.File("w/r/b", "1")}, {imagetest.File("w/r/.wh.d", "")}}, "b=1"},
		{"whiteout of an ancestor", []layer{{imagetest.File("w/r/a", "1")}, {imagetest.File(".wh.w", "")}, {imagetest.File("w/r/b", "2")}}, "b=2"},
		{"whiteout spares its own layer", []layer{{imagetest.File("w/r/a", "1")}, {imagetest.File("w/r/.wh.a", ""), imagetest.File("w/r/a", "2")}}, "a=2"},
		{"whiteout spares layers above", []layer{{imagetest.File("w/r/a", "1")}, {imagetest.File("w/r/.wh.a", "")}, {imagetest.File("w/r/a", "3")}}, "a=3"},
		{"folder again after a whiteout", []layer{{imagetest.File("w/r/d/a", "1")}, {imagetest.File("w/r/.wh.d", "")}, {imagetest.File("w/r/d/b", "3")}}, "d/b=3"},
		{"opaque", []layer{{imagetest.File("w/r/a", "1"), imagetest.File("w/r/d/a", "1")}, {imagetest.File("w/r/d/.wh..wh..opq", ""), imagetest.File("w/r/d/b", "2")}}, "a=1 d/b=2"},
		{"opaque after its files", []layer{{imagetest.File("w/r/a", "1")}, {imagetest.File("w/r/b", "2"), imagetest.File("w/r/.wh..wh..opq", "")}}, "b=2"},
		{"opaque ancestor", []layer{{imagetest.File("w/r/a", "1")}, {imagetest.File("w/.wh..wh..opq", ""), imagetest.File("w/r/b", "2")}}, "b=2"},
		{"opaque image root", []layer{{imagetest.File("w/r/a", "1")}, {imagetest.File(".wh..wh..opq", ""), imagetest.File("w/r/b", "2")}}, "b=2"},
		{"file in place of a folder", []layer{{imagetest.File("w/r/d/a", "1")}, {imagetest.File("w/r/d", "2")}}, "d=2"},
		{"folder in place of a file", []layer{{imagetest.File("w/r/d", "1")}, {folder("w/r/d"), imagetest.File("w/r/d/a", "2")}}, "d/a=2"},
		{"unsaid folder in place of a file", []layer{{imagetest.File("w/r/d", "1")}, {imagetest.File("w/r/d/a", "2")}}, "d/a=2"},
		{"file in place of the root", []layer{{imagetest.File("w/r/a", "1")}, {imagetest.File("w/r", "2")}}, ""},
		{"driver's own files", []layer{{imagetest.File("w/r/a", "1"), imagetest.File("w/r/.wh..wh.plnk", "")}}, "a=1"},
		{"symlink", []layer{{imagetest.File("w/r/a", "1"), link(tar.TypeSymlink, "w/r/b", "a"), link(tar.TypeSymlink, "w/r/d/c", "../b")}}, "a=1 b=1 d/c=1"},
		{"absolute symlink", []layer{{imagetest.File("w/r/a", "1"), link(tar.TypeSymlink, "w/r/b", "/w/r/a")}}, "a=1 b=1"},
		{"symlink through a folder", []layer{{imagetest.File("w/r/d/a", "1"), link(tar.TypeSymlink, "w/r/e", "d"), link(tar.TypeSymlink, "w/r/b", "e/a")}}, "b=1 d/a=1 e=?"},
		{"symlink out", []layer{{imagetest.File("etc/passwd", "x"), link(tar.TypeSymlink, "w/r/b", "../../etc/passwd")}}, "b=?"},
		{"symlink to nowhere", []layer{{link(tar.TypeSymlink, "w/r/b", "gone")}}, "b=?"},
		{"symlink loop", []layer{{link(tar.TypeSymlink, "w/r/a", "b"), link(tar.TypeSymlink, "w/r/b", "a")}}, "a=? b=?"},
		{"hard link", []layer{{imagetest.File("w/r/a", "1"), link(tar.TypeLink, "w/r/b", "w/r/a")}}, "a=1 b=1"},
		{"hard link out", []layer{{imagetest.File("etc/passwd", "x"), link(tar.TypeLink, "w/r/b", "etc/passwd")}}, "b=?"},
		{"fifo", []layer{{link(tar.TypeFifo, "w/r/f", "")}}, "f=?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := stack(t, DefaultLimits(), c.layers...)
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(m); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// describe names each file with its text, which is one digit in these tests.
func describe(m site.Manifest) string {
	var parts []string
	for _, f := range m {
		text := "?"
		for _, digit := range "123" {
			if f.Digest == sha256.Sum256([]byte(string(digit))) {
				text = string(digit)
			}
		}
		parts = append(parts, f.Path+"="+text)
	}
	return strings.Join(parts, " ")
}

// TestLayersStackAsOthersDo compares with the library's own flattening, on random layers.
func TestLayersStackAsOthersDo(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var layers [][]imagetest.Entry
		img := empty.Image
		for range 1 + r.IntN(4) {
			entries := randomLayer(r)
			layers = append(layers, entries)
			img = imagetest.Append(t, img, entries)
		}
		got, err := stack(t, DefaultLimits(), layers...)
		if err != nil {
			t.Fatal(err)
		}
		files, err := imagetest.Unpack(img)
		if err != nil {
			t.Fatal(err)
		}
		var want site.Manifest
		for name, text := range files {
			if rel, ok := strings.CutPrefix(name, "w/r/"); ok {
				want = append(want, site.File{Path: rel, Size: int64(len(text)), Digest: sha256.Sum256(text)})
			}
		}
		want.Sort()
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v, of layers %v", seed, describe(got), describe(want), names(layers))
		}
	}
}

// randomLayer has files, whiteouts and opaque folders. No name is both deleted and there,
// where the library strays from the specification.
func randomLayer(r *rand.Rand) []imagetest.Entry {
	entries := map[string]string{}
	for range 1 + r.IntN(5) {
		dir := []string{"w/r/", "w/r/d/", "w/r/d/e/", "w/"}[r.IntN(4)]
		switch r.IntN(6) {
		case 0:
			entries[dir+opaqueWhiteout] = ""
		case 1:
			entries[dir+whiteout+[]string{"a", "b", "d", "e"}[r.IntN(4)]] = ""
		default:
			entries[dir+[]string{"a", "b"}[r.IntN(2)]] = fmt.Sprint(1 + r.IntN(3))
		}
	}
	maps.DeleteFunc(entries, func(name, _ string) bool {
		deleted := false
		for ; name != "."; name = path.Dir(name) {
			_, here := entries[path.Dir(name)+"/"+whiteout+path.Base(name)]
			deleted = deleted || here
		}
		return deleted
	})
	var layer []imagetest.Entry
	for _, name := range slices.Sorted(maps.Keys(entries)) { // whiteouts come first: '.' sorts low
		layer = append(layer, imagetest.File(name, entries[name]))
	}
	return layer
}

func names(layers [][]imagetest.Entry) (all []string) {
	for _, l := range layers {
		var one []string
		for _, e := range l {
			one = append(one, e.Name)
		}
		all = append(all, strings.Join(one, " "))
	}
	return all
}

func TestBombsAreBounded(t *testing.T) {
	bomb := []imagetest.Entry{imagetest.File("w/r/a", strings.Repeat("\x00", 1<<20))}
	if _, err := stack(t, Limits{Bytes: 1 << 19, Entries: 10}, bomb); !errors.Is(err, ErrTooLarge) {
		t.Errorf("bytes: got %v, want %v", err, ErrTooLarge)
	}
	var many []imagetest.Entry
	for i := range 20 {
		many = append(many, imagetest.File(fmt.Sprint("x/", i), ""))
	}
	if _, err := stack(t, Limits{Bytes: 1 << 20, Entries: 10}, many); !errors.Is(err, ErrTooLarge) {
		t.Errorf("entries: got %v, want %v", err, ErrTooLarge)
	}
	half := [][]imagetest.Entry{{imagetest.File("w/r/b", strings.Repeat("x", 300<<10))}, {imagetest.File("w/r/a", strings.Repeat("x", 300<<10))}}
	if _, err := stack(t, Limits{Bytes: 400 << 10, Entries: 10}, half...); !errors.Is(err, ErrTooLarge) {
		t.Errorf("bytes over two layers: got %v, want %v", err, ErrTooLarge)
	}
}

func FuzzLayer(f *testing.F) {
	f.Add([]byte("not a tar"))
	f.Add(make([]byte, 1024))
	f.Fuzz(func(t *testing.T, text []byte) {
		files := NewTree("/w/r", Limits{Bytes: 1 << 20, Entries: 100})
		if files.Layer(bytes.NewReader(text)) == nil {
			files.Files("beacon")
		}
	})
}
