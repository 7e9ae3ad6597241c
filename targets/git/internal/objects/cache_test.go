package objects

import (
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// TestCommitsAreFoundWithoutTheirTrees reads commits from the state folder: from a file of their own, which is
// checked, else from the pack with the trees.
func TestCommitsAreFoundWithoutTheirTrees(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(dir string, commit plumbing.Hash) error
		found bool
	}{
		{"both files", func(string, plumbing.Hash) error { return nil }, true},
		{"the pack is gone", func(dir string, c plumbing.Hash) error { return os.Remove(filepath.Join(dir, c.String()+packFile)) }, true},
		{"a state folder of before", func(dir string, c plumbing.Hash) error { return os.Remove(filepath.Join(dir, c.String()+commitFile)) }, true},
		{"the file holds another commit", func(dir string, c plumbing.Hash) error {
			other := NewReservation(mail.Address{Name: "n", Address: "n@example.com"}, time.Unix(2, 0), Reservation{Owner: "other"})
			return os.WriteFile(filepath.Join(dir, c.String()+commitFile), other.Raw, 0o600)
		}, true}, // in the pack
		{"neither", func(dir string, _ plumbing.Hash) error { return os.RemoveAll(dir) }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			state := t.TempDir()
			c := NewReservation(mail.Address{Name: "n", Address: "n@example.com"}, time.Unix(1, 0), Reservation{Owner: "us"})
			NewCache(state).Add(&Snapshot{Commit: c, Folders: map[string]Folder{"": {Tree: EmptyTree}}}, slog.New(slog.DiscardHandler))
			if err := tc.spoil(filepath.Join(state, "commits"), c.Hash); err != nil {
				t.Fatal(err)
			}
			got, found := NewCache(state).FindCommit(c.Hash)
			if found != tc.found || found && (got.Hash != c.Hash || string(got.Raw) != string(c.Raw)) {
				t.Errorf("got %t and %q, want %t", found, got.Raw, tc.found)
			}
		})
	}
}
