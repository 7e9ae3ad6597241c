//go:build unix

package generators

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestPipesAreNotOpened puts named pipes where the files of a project are looked for: to open one waits for a writer.
func TestPipesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"Gemfile", "package.json", "CNAME", "astro.config.mjs", "docs/package.json", "docs/Gemfile", "docs/conf.py", "website"} {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(at, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "hugo.toml"), []byte("title = 'a site'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	found := make(chan Site, 1)
	go func() { found <- Detect(os.DirFS(dir)) }()
	select {
	case s := <-found:
		if s.Generator != "hugo" {
			t.Errorf("got %+v", s)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("a pipe was opened")
	}
}
