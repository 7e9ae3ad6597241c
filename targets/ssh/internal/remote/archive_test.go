package remote

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"mirror/site"
)

// pieces keeps what is written, and counts the writes.
type pieces struct {
	strings.Builder
	writes, longest int
}

func (p *pieces) Write(b []byte) (int, error) {
	p.writes, p.longest = p.writes+1, max(p.longest, len(b))
	return p.Builder.Write(b)
}

// TestArchiveIsSentInPieces: a write for each part of each small file has ssh make a packet of each.
func TestArchiveIsSentInPieces(t *testing.T) {
	const files, size = 200, 3000
	var all []site.File
	for i := range files {
		all = append(all, site.File{Path: fmt.Sprintf("page-%03d.html", i), Size: size})
	}
	u := Upload{Files: all, Modes: Modes{File: 0o644}, Open: func(_ context.Context, f site.File) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(strings.Repeat(f.Path[5:8], size/3))), nil
	}}
	var out pieces
	if err := u.archive(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if most := out.Len()/pieceSize + 1; out.writes > most || out.longest > pieceSize {
		t.Errorf("%d writes of %d bytes at most for %d bytes, want %d at most of %d", out.writes, out.longest, out.Len(), most, pieceSize)
	}
	n := 0
	for archive := tar.NewReader(strings.NewReader(out.String())); ; n++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(archive); err != nil || string(text) != strings.Repeat(h.Name[7:10], size/3) {
			t.Errorf("%s has %d bytes, %v", h.Name, len(text), err)
		}
	}
	if n != files {
		t.Errorf("the archive has %d files, want %d", n, files)
	}
}
