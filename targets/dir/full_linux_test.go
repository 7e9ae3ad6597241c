package dir_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mirror/targets/dir"
	"mirror/targets/targettest"
)

// TestFullDisk publishes to a disk of 1 MiB: what has no room is refused as a whole, the
// leavings of a publish that was killed are no hindrance, and what has room goes live.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("no disk of one's own here (TestFullDiskLeavesRoom needs none): %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	g := ground{path: filepath.Join(disk, "www")}
	tgt, err := dir.Open(dir.Config{Path: g.path})
	must(t, err)
	g.Target = tgt
	g.publish(t, first)
	dead := filepath.Join(g.path, "releases", strings.Repeat("a", 64)+".partial")
	must(t, os.MkdirAll(dead, 0o755))
	must(t, os.WriteFile(filepath.Join(dead, "big"), make([]byte, 600<<10), 0o644))
	large := targettest.Files{"index.html": "large", "large": strings.Repeat("x", 2<<20)}
	for range 2 {
		err := g.Stage(t.Context(), targettest.Release(large), nil)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("got %v, want ENOSPC", err)
		}
		g.wantNoLeavings(t)
		g.wantServed(t, first)
	}
	g.publish(t, targettest.Files{"index.html": "smaller", "large": strings.Repeat("x", 700<<10)})
}
