package pointer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/pointer"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	current := filepath.Join(dir, "current")
	if _, err := pointer.Read(current); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: got %v", err)
	}
	for text, want := range map[string]string{
		pointer.Text("releases/abc"):       "releases/abc",
		pointer.Text("theirs"):             "theirs",
		"releases/abc":                     "", // cut off
		"":                                 "",
		"\n":                               "",
		".\n":                              "",
		"../elsewhere\n":                   "",
		"/srv/www\n":                       "",
		"a\nb\n":                           "",
		"a/../../b\n":                      "",
		strings.Repeat("x", 5000) + "\n":   "",
		"<!doctype html>\r\n<title>\x00\n": "",
	} {
		if err := os.WriteFile(current, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := pointer.Read(current)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, pointer.ErrNeither) {
			t.Errorf("%.20q: got %q, %v; want %q", text, got, err, want)
		}
		folder, err := pointer.Folder(current)
		if want != "" && (err != nil || folder != filepath.Join(dir, want)) || want == "" && err == nil {
			t.Errorf("%.20q: got the folder %q, %v", text, folder, err)
		}
	}
	if _, err := pointer.Read(dir); !errors.Is(err, pointer.ErrNeither) {
		t.Errorf("a folder: got %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join("releases", "abc"), link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if got, err := pointer.Read(link); err != nil || got != "releases/abc" {
		t.Errorf("a link: got %q, %v", got, err)
	}
	if got, err := pointer.Folder(dir); err != nil || got != dir {
		t.Errorf("a folder: got %q, %v", got, err)
	}
}
