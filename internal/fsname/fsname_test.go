package fsname_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/fsname"
)

func TestOnWindows(t *testing.T) {
	for name, want := range map[string]string{
		"index.html": "", "a/b/c.css": "", "console.html": "", "com.html": "", "com10.js": "", ".well-known/mirror.json": "", "日本/é.html": "", "a b.html": "", "..x": "",
		"con": "device", "a/CON.html": "device", "aux.tar.gz": "device", "nul ": "end of a name", "nul .txt": "device", "b/lpt1": "device", "COM¹.txt": "device", "conout$": "device",
		"a./b": "end of a name", "a /b": "end of a name", "a.": "end of a name",
		"a:b": "allows none", `a\b`: "allows none", "a?": "allows none", "tab\t": "allows none", "2024-01-01T10:00.html": "allows none",
	} {
		got := fsname.OnWindows(name)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestClash(t *testing.T) {
	for name, c := range map[string]struct {
		paths []string
		want  string
	}{
		"none":            {[]string{"a/b", "a/c", "b/a", "a.b"}, ""},
		"files":           {[]string{"index.html", "a/x", "Index.html"}, "index.html Index.html"},
		"folders":         {[]string{"Tags/go.html", "tags/c.html"}, "Tags tags"},
		"file and folder": {[]string{"about/index.html", "About"}, "about About"},
		"accents":         {[]string{"caf\u00e9.html", "cafe\u0301.html"}, "caf\u00e9.html cafe\u0301.html"},
		"other scripts":   {[]string{"ÄRGER", "ärger"}, "ÄRGER ärger"},
		"sharp s":         {[]string{"straße", "STRASSE"}, "straße STRASSE"},
	} {
		one, other, found := fsname.Clash(c.paths)
		if got := strings.TrimSpace(one + " " + other); got != c.want || found != (c.want != "") {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestFolds compares with what the file system does.
func TestFolds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Site")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(dir), "sITE"))
	want := err == nil
	for _, at := range []string{dir, filepath.Join(dir, "not", "there")} {
		if got := fsname.Folds(at); got != want {
			t.Errorf("%s: got %v, want %v", at, got, want)
		}
	}
	if err := os.Mkdir(filepath.Join(filepath.Dir(dir), "sITE"), 0o700); err == nil && fsname.Folds(dir) {
		t.Error("two folders are taken for one")
	}
}
