//go:build unix

package config

import (
	"os"
	"path/filepath"
	"testing"
)

// A place is the same whatever links lead to it, also before there is anything.
func TestPlacesAreTheSameThroughLinks(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"later": "www", "absolute": filepath.Join(dir, "www"), "second": "later/blog", "round": "round", "here": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"www": "www", "later": "www", "absolute": "www", "later/a/b": "www/a/b", "second": "www/blog", "here/here/www": "www",
	} {
		if got, err := resolve(filepath.Join(dir, path)); err != nil || got != filepath.Join(dir, want) {
			t.Errorf("%s: got %s, %v; want %s", path, got, err, want)
		}
	}
	if _, err := resolve(filepath.Join(dir, "round")); err != nil {
		t.Errorf("a link to itself: %v", err)
	}
}
