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

// TestNobodyElseReadsTheFolder opens one that an earlier version made, and one that holds
// something else too.
func TestNobodyElseReadsTheFolder(t *testing.T) {
	for _, foreign := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), state.Name)
		own := []string{"history.db", "history.db-wal", "journal.json", "owner", "targets/pages/blobs", "reports/daily.html"}
		others := []string{}
		if foreign {
			others = []string{"index.html", "css/site.css"}
		}
		for _, name := range append(append([]string{}, own...), others...) {
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := state.Open(dir); err != nil {
			t.Fatal(err)
		}
		mode := func(name string) os.FileMode {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return info.Mode().Perm()
		}
		for _, name := range append(own, ".gitignore") {
			if got := mode(name); got != 0o600 {
				t.Errorf("%s has mode %v", name, got)
			}
		}
		if got := mode("targets/pages"); got != 0o700 {
			t.Errorf("targets/pages has mode %v", got)
		}
		want := os.FileMode(0o700)
		if foreign {
			want = 0o755
			if mode("index.html") != 0o644 || mode("css") != 0o755 {
				t.Error("what is not ours was changed")
			}
		}
		if got := mode("."); got != want {
			t.Errorf("the folder has mode %v, want %v", got, want)
		}
	}
}
