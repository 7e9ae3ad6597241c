package targets_test

import (
	"testing"

	"mirror/targets"
)

// TestKeptFolderCoversWhatIsBelow lets a folder's name stand for all that the folder holds.
func TestKeptFolderCoversWhatIsBelow(t *testing.T) {
	for _, c := range []struct {
		glob, path string
		kept       bool
	}{
		{"uploads", "uploads", true},
		{"uploads", "uploads/a.jpg", true},
		{"uploads", "uploads/2026/11/a.jpg", true},
		{"uploads", "uploads-old/a.jpg", false},
		{"uploads", "blog/uploads/a.jpg", false},
		{"blog/uploads", "blog/uploads/a.jpg", true},
		{"blog/uploads", "blog/index.html", false},
		{"{uploads,media}", "media/a.jpg", true},
		{"robots.txt", "robots.txt", true},
		{"*", "robots.txt", true},
		{"*", "uploads/a.jpg", false},
		{"uploads/*", "uploads/2026/a.jpg", false},
		{"upload?", "uploads/a.jpg", false},
		{"[u]ploads", "uploads/a.jpg", false},
		{"uploads/**", "uploads/2026/a.jpg", true},
	} {
		if got := (targets.Keep{c.glob}).Match(c.path); got != c.kept {
			t.Errorf("%s keeps %s: got %t, want %t", c.glob, c.path, got, c.kept)
		}
	}
}
