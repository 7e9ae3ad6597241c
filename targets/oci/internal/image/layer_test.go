package image

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"path"
	"runtime"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

var _ v1.Layer = (*Blob)(nil)

// TestReproducibleOnAnyMachine compresses with other numbers of processors.
func TestReproducibleOnAnyMachine(t *testing.T) {
	rel := targettest.Release(imagetest.Large(5 << 20))
	var want Info
	for i, procs := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(procs)
		b, err := WriteBlob(Gzip(6), func(w io.Writer) error { return WriteSite(t.Context(), w, rel, "/site") })
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = b.Info
		}
		if b.Info != want {
			t.Errorf("%d processors: got %+v, want %+v", procs, b.Info, want)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLayerHasEachNameOnce also checks that every folder comes before what is in it.
func TestLayerHasEachNameOnce(t *testing.T) {
	files := targettest.Files{"a": "", "a.b/c": "", "b/c/d": "", "b/c-d/e": "", "b/c.txt": "", "b/c/e/f": "", "b-c/d": "", "zz/y": ""}
	var buf bytes.Buffer
	if err := WriteSite(t.Context(), &buf, targettest.Release(files), "/srv/www"); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"srv": true}
	for tr := tar.NewReader(&buf); ; {
		hdr, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := path.Clean(hdr.Name)
		if seen[name] || !seen[path.Dir(name)] {
			t.Errorf("%s: seen before: %v, its folder: %v", name, seen[name], seen[path.Dir(name)])
		}
		if hdr.Uid != 0 || hdr.Gid != 0 || hdr.Mode != 0o644 && hdr.Mode != 0o755 {
			t.Errorf("%s: owner %d:%d, mode %o", name, hdr.Uid, hdr.Gid, hdr.Mode)
		}
		seen[name] = true
	}
	if want := 1 + 2 + 9 + 8; len(seen) != want { // /srv; root and whiteout; files and beacon; folders
		t.Errorf("got %d names, want %d: %v", len(seen), want, slices.Sorted(maps.Keys(seen)))
	}
}
