package credentials

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/realserver"
	"mirror/targets/git/internal/gitconfig"
)

func TestNetrc(t *testing.T) {
	const file = `# machine commented login no password no
machine one.example login a password b
machine two.example
	login "c d" password "e\"f"
macdef init
machine one.example login macro password macro

machine three.example account x login g password h#i
machine three.example login j password k
default login anonymous password me@example.com
`
	for _, tc := range []struct{ host, user, want string }{
		{"one.example", "", "a b"}, {"ONE.example", "", "a b"}, {"two.example", "", `c d e"f`}, {"three.example", "", "g h#i"},
		{"three.example", "j", "j k"}, {"other.example", "", "anonymous me@example.com"}, {"one.example", "z", ""},
	} {
		l, found := parseNetrc(file, tc.host, tc.user)
		if got := strings.TrimSpace(l.User + " " + l.Password); got != tc.want || found != (tc.want != "") {
			t.Errorf("%s of %s: got %q, want %q", tc.user, tc.host, got, tc.want)
		}
	}
	for _, broken := range []string{"machine", "machine x login", "machine x password", `machine x login "a`, "macdef", "default"} {
		if l, found := parseNetrc(broken, "x", ""); found {
			t.Errorf("%s: got %+v", broken, l)
		}
	}
}

// TestHelpersWithoutGit runs helpers as git would, where git is not installed.
func TestHelpersWithoutGit(t *testing.T) {
	realserver.Need(t, "git") // which reads the settings
	dir := t.TempDir()
	script := filepath.Join(dir, "git-credential-mine")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat >>"+dir+"/$2\ntest $2 = get && echo username=$1 && echo password=p-$1\nexit 0\n"), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	for helpers, want := range map[string]string{
		"helper = " + script + " path":                                                                                                   "path p-path",
		"helper = \"!f() { echo username=x; echo password=y; }; f\"":                                                                     "x y",
		"helper = " + script + " dropped\n\thelper = \"\"\n\thelper = " + script + " kept":                                               "kept p-kept",
		"helper = \"!exit 1; #\"\n\thelper = " + script + " second":                                                                      "second p-second",
		"helper = \"!echo quit=1; #\"\n\thelper = " + script + " never":                                                                  "",
		"username = known\n\thelper = \"!f() { sed -n s/username=/password=with-/p; echo username=known; }; f\"":                         "known with-known",
		"useHttpPath = true\n\thelper = \"!f() { sed -n s,path=,password=,p; echo username=x; }; f\"":                                    "x me/site.git",
		"helper = \"!f() { echo username=x; echo password=wrong; }; f\"\n[credential \"https://other.example\"]\n\thelper = \"!exit 1\"": "x wrong",
		"helper = git-credential-absent":                                                                                                 "",
	} {
		home := t.TempDir()
		if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte("[credential]\n\t"+helpers+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		getenv := func(name string) string { return map[string]string{"HOME": home, "GIT_CONFIG_NOSYSTEM": "1"}[name] }
		settings, err := gitconfig.Load(t.Context(), getenv)
		if err != nil {
			t.Fatal(err)
		}
		address, err := url.Parse("https://git.example/me/site.git")
		if err != nil {
			t.Fatal(err)
		}
		h, err := askWith(t.Context(), address, Options{Getenv: getenv, Git: settings}, "")
		got := ""
		if h != nil {
			got = h.login.User + " " + h.login.Password
			h.tell(t.Context(), "approve", "store")
		}
		if got != want {
			t.Errorf("%s: got %q, %v; want %q", helpers, got, err, want)
		}
	}
	if told, err := os.ReadFile(filepath.Join(dir, "store")); err != nil || !strings.Contains(string(told), "host=git.example\n") || !strings.Contains(string(told), "password=p-path\n") {
		t.Errorf("store: the helper was told %q, %v", told, err)
	}
}
