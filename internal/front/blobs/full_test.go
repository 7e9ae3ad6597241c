package blobs

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"mirror/site"
)

// room has the files of a store take so many bytes at most, as a disk of that size does. It returns what the store tells
// of that.
func room(t *testing.T, s *Store, bytes *int64) *[]error {
	t.Helper()
	var told []error
	s.disk.hear = func(err error) { told = append(told, err) }
	s.disk.writeFile = func(f *os.File, p []byte, at int64) (int, error) {
		var used int64
		files, err := filepath.Glob(filepath.Join(s.disk.dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if info, err := os.Stat(name); err == nil && name != f.Name() {
				used += info.Size()
			}
		}
		if fits := max(0, *bytes-used-at); fits < int64(len(p)) {
			n, _ := f.WriteAt(p[:fits], at)
			return n, syscall.ENOSPC
		}
		return f.WriteAt(p, at)
	}
	return &told
}

// keepIn stores a content and reads it back.
func keepIn(t *testing.T, s *Store, data []byte) (Content, error) {
	t.Helper()
	w := s.NewWriter(int64(len(data)), 0)
	for at := 0; at < len(data); at += Small {
		if _, err := w.Write(data[at:min(len(data), at+Small)]); err != nil {
			w.Discard()
			return Content{}, err
		}
	}
	c := w.Keep(sha256.Sum256(data))
	if got, err := io.ReadAll(c.Reader()); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes were read back of %d: %v", len(got), len(data), err)
	}
	return c, nil
}

// TestFullDisk stores contents on a disk with less room than the cache may have: old contents make room, and a content that
// has none is served from memory. Only one that has no room there either is an error.
func TestFullDisk(t *testing.T) {
	s, err := Open(t.TempDir(), Options{Memory: 1 << 20, Disk: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	size := int64(5 * Small)
	told := room(t, s, &size)
	large := func(c byte) []byte { return bytes.Repeat([]byte{c}, 2*Small) }
	for c := byte('a'); c < 'f'; c++ {
		kept, err := keepIn(t, s, large(c))
		if err != nil {
			t.Fatal(err)
		}
		kept.Close()
	}
	if len(*told) > 0 || !s.Has(sha256.Sum256(large('e'))) || s.Has(sha256.Sum256(large('a'))) {
		t.Errorf("the oldest content does not make room for the latest: %v", *told)
	}
	size = 0
	kept, err := keepIn(t, s, large('g'))
	if err != nil || len(*told) != 1 || !errors.Is((*told)[0], syscall.ENOSPC) {
		t.Fatalf("on a disk without room: %v, told %v", err, *told)
	}
	if _, err := keepIn(t, s, make([]byte, maxSpilled)); !errors.Is(err, ErrNoRoom) {
		t.Errorf("a content without room in memory: %v", err)
	}
	kept.Close()
	if n := s.spills.bytes.Load(); n != 0 {
		t.Errorf("%d bytes stay counted", n)
	}
	if small, err := keepIn(t, s, []byte("small")); err != nil || !s.Has(site.Digest(sha256.Sum256([]byte("small")))) {
		t.Errorf("a small content is not in memory: %+v, %v", small, err)
	}
	if files, _ := os.ReadDir(s.disk.dir); len(files) != 0 {
		t.Errorf("%d files stay", len(files))
	}
}
