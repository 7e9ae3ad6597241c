package wire

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mirror/targets/git/internal/gitconfig"
)

func TestAddressesAreReadAsGitDoes(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skip("no home folder")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"git@github.com:me/site.git":           "ssh git github.com 0 me/site.git",
		"blog:site.git":                        "ssh  blog 0 site.git",
		"blog:/srv/site.git":                   "ssh  blog 0 /srv/site.git",
		"blog:~me/site.git":                    "ssh  blog 0 ~me/site.git",
		"blog:22/site.git":                     "ssh  blog 0 22/site.git",
		"blog:22:site.git":                     "ssh  blog 0 22:site.git",
		"me@[::1]:site.git":                    "ssh me [::1] 0 site.git",
		"[::1]:/srv/site.git":                  "ssh  [::1] 0 /srv/site.git",
		"[blog:2222]:site.git":                 "ssh  blog 2222 site.git",
		"[me@blog:2222]:site.git":              "ssh me blog 2222 site.git",
		"first.last@corp@blog:site.git":        "ssh first.last@corp blog 0 site.git",
		"ssh://git@blog/site.git":              "ssh git blog 0 /site.git",
		"ssh://blog:2222/~me/site.git":         "ssh  blog 2222 ~me/site.git",
		"ssh://blog/~/site.git":                "ssh  blog 0 ~/site.git",
		"ssh://git@[2001:db8::1]:22/site.git":  "ssh git [2001:db8::1] 22 /site.git",
		"ssh://blog/a%20b.git":                 "ssh  blog 0 /a b.git",
		"git+ssh://blog/site.git":              "ssh  blog 0 /site.git",
		"https://me@git.example:8443/site.git": "https me git.example 8443 /site.git",
		"file:///srv/site.git":                 "file   0 /srv/site.git",
		"/srv/a:b/site.git":                    "file   0 /srv/a:b/site.git",
		"./a:b":                                "file   0 " + filepath.Join(here, "a:b"),
		"../site.git":                          "file   0 " + filepath.Join(filepath.Dir(here), "site.git"),
		"~/site.git":                           "file   0 " + filepath.Join(home, "site.git"),
	} {
		if runtime.GOOS == "windows" && strings.HasPrefix(want, "file") {
			continue
		}
		p, err := ParseURL(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := fmt.Sprintf("%s %s %s %d %s", p.Protocol, p.User, p.Host, p.Port, p.Path); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
	for _, address := range []string{"", "blog:", "ext::sh -c x", "ftp://host/x", "ssh://blog", "ssh://blog/", "a\nb:c", "[blog:99999]:x", "my blog:site.git", "https://a b/"} {
		if p, err := ParseURL(address); err == nil {
			t.Errorf("%q: got %+v, want an error", address, p)
		}
	}
}

func TestOptionsInAddressesAreRefused(t *testing.T) {
	for _, address := range []string{"-oProxyCommand=x:site.git", "ssh://-oProxyCommand=x/site.git", "ssh://-l@blog/site.git", "blog:-u./x"} {
		at, err := Locate(address, nil)
		if err == nil {
			_, err = NewRemote(at, Options{})
		}
		if err == nil || !strings.Contains(err.Error(), "dash") {
			t.Errorf("%s: got %v, want it refused", address, err)
		}
	}
}

// TestPushesMayGoElsewhere has git's settings replace addresses.
func TestPushesMayGoElsewhere(t *testing.T) {
	home := t.TempDir()
	text := "[url \"git@blog:\"]\n\tpushInsteadOf = https://git.example/\n[url \"/srv/\"]\n\tinsteadOf = short:\n[url \"nothing://\"]\n\tinsteadOf = wrong:\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": home, "GIT_CONFIG_NOSYSTEM": "1"}
	settings, err := gitconfig.Load(t.Context(), func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	at, err := Locate("https://git.example/site.git", settings)
	if err != nil || at.Fetch.Protocol != "https" || at.Push.Host != "blog" || at.Push.Path != "site.git" {
		t.Errorf("got %+v and %+v, %v", at.Fetch, at.Push, err)
	}
	remote, err := NewRemote(at, Options{})
	if _, ok := remote.(split); err != nil || !ok {
		t.Errorf("got %T, %v", remote, err)
	}
	if at, err = Locate("short:site.git", settings); err != nil || at.Push.Path != "/srv/site.git" || at.Fetch.Protocol != "file" {
		t.Errorf("got %+v, %v", at.Push, err)
	}
	if _, err = Locate("wrong:x", settings); err == nil || !strings.Contains(err.Error(), "after url.<base>.insteadOf") {
		t.Errorf("got %v, want the protocol refused", err)
	}
}
