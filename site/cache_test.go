package site

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"mirror/internal/filestamp"
)

// countingFS counts the files that are opened.
type countingFS struct {
	fstest.MapFS
	mu     *sync.Mutex
	opened map[string]int
}

func (c countingFS) Open(name string) (fs.File, error) {
	if f := c.MapFS[name]; f != nil && f.Mode.IsRegular() {
		c.mu.Lock()
		c.opened[name]++
		c.mu.Unlock()
	}
	return c.MapFS.Open(name)
}

func (c countingFS) Stat(name string) (fs.FileInfo, error) { return c.MapFS.Stat(name) }

func TestCacheTrustsOnlyRestedFiles(t *testing.T) {
	now := time.Now()
	fsys := countingFS{fstest.MapFS{
		"rested.html": {Data: []byte("a"), ModTime: now.Add(-time.Minute)},
		"fresh.html":  {Data: []byte("b"), ModTime: now.Add(-time.Second)},
		"edited.html": {Data: []byte("c"), ModTime: now.Add(-time.Minute)},
	}, new(sync.Mutex), map[string]int{}}
	file := filepath.Join(t.TempDir(), "state", "scan")
	scanOnce(t, fsys, file)
	clear(fsys.opened)
	fsys.MapFS["edited.html"] = &fstest.MapFile{Data: []byte("C"), ModTime: now.Add(-30 * time.Second)}

	rel := scanOnce(t, fsys, file)
	if fsys.opened["rested.html"] != 0 || fsys.opened["fresh.html"] != 1 || fsys.opened["edited.html"] != 1 {
		t.Errorf("second scan read %v, want fresh.html and edited.html only", fsys.opened)
	}
	if f, _ := rel.Manifest.Find("edited.html"); f.Digest != sha256.Sum256([]byte("C")) {
		t.Errorf("edited.html: got the digest of old bytes")
	}
}

func scanOnce(t *testing.T, fsys fs.FS, file string) *Release {
	t.Helper()
	c, err := OpenCache(file)
	if err != nil {
		t.Fatal(err)
	}
	rel, err := Scan(context.Background(), fsys, ScanOptions{Cache: c})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	return rel
}

// TestStampSeesChangeTime edits a file and puts size and modification time back.
func TestStampSeesChangeTime(t *testing.T) {
	name := filepath.Join(t.TempDir(), "index.html")
	if err := os.WriteFile(name, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("ONE"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if filestamp.Of(before) == filestamp.Of(after) {
		t.Errorf("both are %+v", filestamp.Of(after))
	}
}

func TestDamagedCacheIsEmpty(t *testing.T) {
	c := &Cache{entries: map[string]entry{"index.html": {filestamp.Stamp{Size: 1, MTime: 2, CTime: 3, Inode: 4}, Digest{5}}}}
	good := c.encode()
	if entries, ok := decodeCache(good); !ok || entries["index.html"] != c.entries["index.html"] {
		t.Fatalf("round trip: got %v, %v", entries, ok)
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if _, ok := decodeCache(bad); ok {
			t.Errorf("byte %d turned and still taken", i)
		}
		if _, ok := decodeCache(good[:i]); ok {
			t.Errorf("cut at %d and still taken", i)
		}
	}
}
