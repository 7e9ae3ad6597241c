package ssh_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mirror/targets"
	"mirror/targets/ssh/internal/remote"
	"mirror/targets/targettest"
)

// TestFullDisk publishes to a host with a disk of 1 MiB: what has no room is refused as a whole and leaves nothing
// behind, visitors see the release before, and what has room goes live.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, shell := range map[string][]string{"sftp only": nil, "shell": {"sh", "-c"}} {
		t.Run(name, func(t *testing.T) {
			disk := t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
				t.Skipf("no disk of one's own here: %v", err)
			}
			t.Cleanup(func() { must(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
			path := filepath.Join(disk, "www")
			tgt := over(t, remote.With(newLocal(t, shell...), "local"), path, targets.Env{})
			one := targettest.Release(targettest.Files{"index.html": "one"})
			_, err := targettest.Publish(t.Context(), tgt, one)
			must(t, err)
			large := targettest.Release(targettest.Files{"index.html": "large", "large": strings.Repeat("x", 2<<20)})
			for range 2 {
				if err := tgt.Stage(t.Context(), large, nil); err == nil || !strings.Contains(err.Error(), "no space left on the host") {
					t.Fatalf("got %v, want that there is no space", err)
				}
				wantServed(t, tgt, path, one, "one")
				if left, _ := filepath.Glob(filepath.Join(path, "releases", "*.partial")); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			}
			smaller := targettest.Release(targettest.Files{"index.html": "smaller", "large": strings.Repeat("x", 700<<10)})
			_, err = targettest.Publish(t.Context(), tgt, smaller)
			must(t, err)
			wantServed(t, tgt, path, smaller, "smaller")
		})
	}
}
