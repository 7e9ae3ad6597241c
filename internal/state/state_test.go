package state_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
			if _, err := state.Open(dir); err != nil { // before others put files there
				t.Fatal(err)
			}
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
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

// TestAFolderOfOthersIsNoStateFolder names folders that hold something else: they are refused,
// and nothing in them, or behind a link in them, is changed.
func TestAFolderOfOthersIsNoStateFolder(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	for name, fill := range map[string]func(dir string) error{
		"a project": func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("node_modules/\n.env\n"), 0o644),
				os.WriteFile(filepath.Join(dir, "scan"), []byte("mine"), 0o644), os.WriteFile(filepath.Join(dir, "package.json"), nil, 0o644))
		},
		"a list of ignored files alone": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("node_modules/\n"), 0o644)
		},
		"a link to a file outside": func(dir string) error {
			return errors.Join(os.WriteFile(outside, []byte("precious"), 0o644), os.Symlink(outside, filepath.Join(dir, ".gitignore")))
		},
		"a link to nothing": func(dir string) error {
			return os.Symlink(filepath.Join(dir, "nothing"), filepath.Join(dir, ".gitignore"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := fill(dir); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			if _, err := state.Open(dir); !errors.Is(err, state.ErrForeign) {
				t.Errorf("got %v", err)
			}
			if after := contents(t, dir); after != before {
				t.Errorf("got\n%s\nwant\n%s", after, before)
			}
			if text, err := os.ReadFile(outside); err == nil && string(text) != "precious" {
				t.Errorf("the file outside holds %q", text)
			}
		})
	}
}

// contents lists the files of a folder with their modes and texts.
func contents(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := os.ReadFile(filepath.Join(dir, e.Name())) // a link may lead nowhere
		fmt.Fprintf(&all, "%s %s %q\n", e.Name(), info.Mode(), text)
	}
	return all.String()
}
