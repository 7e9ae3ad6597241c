package output

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mirror/reports"
)

// TestReplaceKeepsWhatANameStandsFor writes through a link and leaves nothing beside it.
func TestReplaceKeepsWhatANameStandsFor(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("old and longer"), 0o600), os.Symlink("file", link)); err != nil {
		t.Fatal(err)
	}
	if err := replace(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "new" {
		t.Errorf("got %q, %v", got, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
		t.Errorf("got %v, %v", names, err)
	}
}

// TestSummaryStaysBelowTheLimit appends until GitHub would show nothing at all.
func TestSummaryStaysBelowTheLimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary.md")
	before := bytes.Repeat([]byte("x"), maxSummary-1000)
	if err := os.WriteFile(file, before, 0o644); err != nil {
		t.Fatal(err)
	}
	appended := 0
	for range 100 {
		if appendSummary(file, reports.Check{Agree: true}, nil) != nil {
			break
		}
		appended++
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if appended == 0 || appended == 100 || info.Size() > maxSummary {
		t.Errorf("appended %d times, to %d bytes", appended, info.Size())
	}
}
