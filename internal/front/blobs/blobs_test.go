package blobs_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"mirror/internal/front/blobs"
	"mirror/site"
)

func open(t *testing.T, dir string, o blobs.Options) *blobs.Store {
	t.Helper()
	s, err := blobs.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// keep stores a content.
func keep(t *testing.T, s *blobs.Store, data []byte) site.Digest {
	t.Helper()
	w := s.NewWriter(int64(len(data)), int64(len(data)))
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	d := site.Digest(sha256.Sum256(data))
	c := w.Keep(d)
	defer c.Close()
	if got, err := io.ReadAll(c.Reader()); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("read back %d bytes of %d, %v", len(got), len(data), err)
	}
	return d
}

// has reports whether a store gives a content, and fails where the bytes are others.
func has(t *testing.T, s *blobs.Store, d site.Digest) bool {
	t.Helper()
	c, ok := s.Get(d)
	if !ok {
		return false
	}
	defer c.Close()
	data, err := io.ReadAll(c.Reader())
	if err != nil || site.Digest(sha256.Sum256(data)) != d {
		t.Fatalf("other bytes than those of the digest: %d of them, %v", len(data), err)
	}
	return true
}

func content(i, size int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%08d", i), size/8)
}

// TestAnotherRun finds what an earlier run has stored, and drops what was altered since.
func TestAnotherRun(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, blobs.Options{Memory: 1 << 20, Disk: 1 << 30})
	small, large := keep(t, first, content(1, 1000)), keep(t, first, content(2, 4*blobs.Small))
	spoiltSmall, spoiltLarge := keep(t, first, content(3, 1000)), keep(t, first, content(4, 4*blobs.Small))
	first.Close()
	for _, d := range []site.Digest{spoiltSmall, spoiltLarge} {
		f, err := os.OpenFile(filepath.Join(dir, d.String()), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("!"), 500); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := os.WriteFile(filepath.Join(dir, "partial-1"), []byte("of a run that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, blobs.Options{Memory: 1 << 20, Disk: 1 << 30})
	for range 2 {
		if !has(t, again, small) || !has(t, again, large) {
			t.Error("what was stored is lost")
		}
		if has(t, again, spoiltSmall) || has(t, again, spoiltLarge) {
			t.Error("an altered file is served")
		}
	}
	if u := again.Usage(); u.Files != 2 || u.Damaged != 2 {
		t.Errorf("the usage is %+v", u)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("the folder has %d files, %v", len(files), err)
	}
}

// TestBounds stores more than there is room for.
func TestBounds(t *testing.T) {
	const memory, disk = 64 << 10, 256 << 10
	s := open(t, t.TempDir(), blobs.Options{Memory: memory, Disk: disk})
	var kept []site.Digest
	for i := range 500 {
		kept = append(kept, keep(t, s, content(i, 1<<10)))
		if u := s.Usage(); u.Memory > memory || u.Disk > disk {
			t.Fatalf("after %d contents the usage is %+v", i, u)
		}
	}
	if !has(t, s, kept[len(kept)-1]) || has(t, s, kept[0]) {
		t.Error("the oldest stays, or the latest does not")
	}
	keep(t, s, content(1000, 2*disk)) // larger than the cache: it is served all the same
	if u := s.Usage(); u.Disk > disk {
		t.Errorf("the usage is %+v", u)
	}
}

// TestNothingOnDisk has a store without a disk serve large contents, and leave nothing.
func TestNothingOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, blobs.Options{Memory: 1 << 20})
	small, large := keep(t, s, content(1, 1000)), keep(t, s, content(2, 4*blobs.Small))
	if !has(t, s, small) || has(t, s, large) {
		t.Error("what is held is not what fits in memory")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("the folder has %d files, %v", len(files), err)
	}
}

// TestALongBody drops what is beyond the limit.
func TestALongBody(t *testing.T) {
	s := open(t, t.TempDir(), blobs.Options{Memory: 1 << 20, Disk: 1 << 20})
	w := s.NewWriter(10, 10)
	if n, err := w.Write(content(1, 16)); n != 16 || err != nil || !w.Over() {
		t.Errorf("wrote %d bytes, %v, over: %t", n, err, w.Over())
	}
	w.Reset()
	if _, err := w.Write([]byte("0123456789")); err != nil || w.Over() {
		t.Errorf("after a reset: %v, over: %t", err, w.Over())
	}
	w.Discard()
}
