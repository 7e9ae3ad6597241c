// Package imagetest makes layers and images for tests and reads them with the library's code,
// so that ours is held to it.
package imagetest

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/targets/targettest"
)

// Entry is an entry of a layer: a regular file unless its header says otherwise.
type Entry struct {
	tar.Header
	Text []byte
}

// File is the entry of a regular file.
func File(name, text string) Entry { return Entry{tar.Header{Name: name}, []byte(text)} }

// Tar returns the entries as a tar stream.
func Tar(t testing.TB, entries []Entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		if e.Typeflag == 0 {
			e.Typeflag = tar.TypeReg
		}
		e.Size, e.Mode = int64(len(e.Text)), 0o755
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.Text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// Append returns the image with a layer of the entries on top, for this machine's platform
// where it names none.
func Append(t testing.TB, img v1.Image, entries []Entry) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(img, static.NewLayer(Tar(t, entries), types.OCIUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	cf, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cf = cf.DeepCopy()
	if cf.OS == "" {
		cf.OS, cf.Architecture = "linux", runtime.GOARCH
	}
	if img, err = mutate.ConfigFile(img, cf); err != nil {
		t.Fatal(err)
	}
	return img
}

// Unpack returns all files of an image, by their path without a leading slash.
func Unpack(img v1.Image) (map[string][]byte, error) {
	r := mutate.Extract(img)
	defer r.Close()
	files := map[string][]byte{}
	for tr := tar.NewReader(r); ; {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if hdr.Typeflag == tar.TypeReg {
			if files[path.Clean(hdr.Name)], err = io.ReadAll(tr); err != nil {
				return nil, err
			}
		}
	}
}

// Large is a site with a file of n bytes that compress badly, over several blocks.
func Large(n int) targettest.Files {
	text, state := make([]byte, n), uint32(1)
	for i := range text {
		state = state*1664525 + 1013904223
		text[i] = byte(state >> 24)
	}
	return targettest.Files{"index.html": "home", "film.bin": string(text), "a.txt": "", "a/b/c.txt": "c", "a0": "0"}
}
