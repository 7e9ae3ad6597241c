package state_test

import (
	"os"
	"path/filepath"
	"testing"

	"mirror/internal/state"
)

func open(t *testing.T) state.Folder {
	t.Helper()
	f, err := state.Open(filepath.Join(t.TempDir(), state.Name))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOwnerStays(t *testing.T) {
	f := open(t)
	first, err := f.Owner()
	if err != nil || first == "" {
		t.Fatalf("got %q, %v", first, err)
	}
	if again, err := f.Owner(); err != nil || again != first {
		t.Errorf("got %q, %v; want %q", again, err, first)
	}
	if other, err := open(t).Owner(); err != nil || other == first {
		t.Errorf("another folder: got %q, %v; want another owner", other, err)
	}
}

func TestFolderKeepsItselfOutOfTheRepository(t *testing.T) {
	for range 2 {
		f := open(t)
		if text, err := os.ReadFile(filepath.Join(f.Dir(), ".gitignore")); err != nil || string(text) != "*\n" {
			t.Errorf("got %q, %v", text, err)
		}
	}
}
