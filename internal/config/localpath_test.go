package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestLocalPath(t *testing.T) {
	home, err := filepath.Abs("home")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(filepath.Dir(home), "work")
	env := func(name string) func(string) string {
		return func(asked string) string {
			if asked == name {
				return home
			}
			return ""
		}
	}
	for text, want := range map[string]string{
		"~":         home,
		"~/":        home,
		"~/www/a":   filepath.Join(home, "www", "a"),
		"~/../x":    filepath.Join(filepath.Dir(home), "x"),
		"./~":       filepath.Join(dir, "~"),
		"a/~/b":     filepath.Join(dir, "a", "~", "b"),
		"~backup":   filepath.Join(dir, "~backup"),
		"./public":  filepath.Join(dir, "public"),
		"../public": filepath.Join(filepath.Dir(dir), "public"),
		home:        home,
	} {
		for _, name := range []string{"HOME", "USERPROFILE"} {
			if got, why := localPath(text, dir, env(name)); got != want || why != "" {
				t.Errorf("%s: got %q, %q; want %q", text, got, why, want)
			}
		}
	}
	for text, want := range map[string]string{"~/x": "HOME is not set", "~": "HOME is not set", "~me/www": "home folder of another user"} {
		if _, why := localPath(text, dir, env("")); !strings.Contains(why, want) {
			t.Errorf("%s: got %q, want %q", text, why, want)
		}
	}
}
