package gitconfig

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mirror/internal/realserver"
)

const settings = `
[core]
	sshCommand = ssh -F "my config"
[Core]
	SSHCOMMAND = ssh -v
[url "git@github.com:"]
	insteadOf = https://github.com/
	insteadOf = gh:
[url "ssh://git@work.example/"]
	insteadOf = https://github.com/work/
[url "git@push.example:"]
	pushInsteadOf = https://push.example/
[http]
	extraHeader = X-All: 1
[http "https://git.example.com"]
	extraHeader = X-Host: 1
[http "https://*.example.com/me"]
	extraHeader = X-Path: 1
[http "https://git.example.com/other"]
	extraHeader = X-Other: 1
[http "https://git.example.com:8443"]
	extraHeader = X-Port: 1
[include]
	path = more
[flag]
	on
`

// environ is a home of its own with these settings in it.
func environ(t *testing.T) func(string) string {
	t.Helper()
	home := t.TempDir()
	for name, text := range map[string]string{".gitconfig": settings, "more": "[more]\n\tvalue = yes\n"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string {
		return map[string]string{"HOME": home, "GIT_CONFIG_NOSYSTEM": "1"}[name]
	}
}

// both are the settings as git lists them and as they are read here.
func both(t *testing.T) map[string]*Config {
	t.Helper()
	realserver.Need(t, "git")
	getenv := environ(t)
	asked, err := Load(t.Context(), getenv)
	if err != nil {
		t.Fatal(err)
	}
	read, err := readFiles(getenv)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*Config{"git": asked, "files": read}
}

func TestSettingsAreThoseOfGit(t *testing.T) {
	for name, c := range both(t) {
		for key, want := range map[string]string{"core.sshcommand": "ssh -v", "more.value": "yes", "core.none": ""} {
			if got := c.Get(key); got != want {
				t.Errorf("%s: %s: got %q, want %q", name, key, got, want)
			}
		}
		for _, tc := range []struct {
			address, fetch, push string
		}{
			{"https://github.com/me/x.git", "git@github.com:me/x.git", "git@github.com:me/x.git"},
			{"gh:me/x.git", "git@github.com:me/x.git", "git@github.com:me/x.git"},
			{"https://github.com/work/x.git", "ssh://git@work.example/x.git", "ssh://git@work.example/x.git"},
			{"https://push.example/x.git", "https://push.example/x.git", "git@push.example:x.git"},
			{"/srv/x.git", "/srv/x.git", "/srv/x.git"},
		} {
			if fetch, push := c.Rewrite(tc.address, false), c.Rewrite(tc.address, true); fetch != tc.fetch || push != tc.push {
				t.Errorf("%s: %s: got %s and %s, want %s and %s", name, tc.address, fetch, push, tc.fetch, tc.push)
			}
		}
		for address, want := range map[string]string{
			"https://git.example.com/me/x.git":      "X-All: 1, X-Host: 1",
			"https://www.example.com/me/x.git":      "X-All: 1, X-Path: 1",
			"https://git.example.com:8443/me/x.git": "X-All: 1, X-Port: 1",
			"http://git.example.com/me/x.git":       "X-All: 1",
			"https://git.example.com/other":         "X-All: 1, X-Host: 1, X-Other: 1",
			"https://git.example.com/others":        "X-All: 1, X-Host: 1",
		} {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(c.For("http", "extraHeader", u), ", "); got != want {
				t.Errorf("%s: %s: got %q, want %q", name, address, got, want)
			}
		}
	}
}

func TestSettingsOfTheEnvironment(t *testing.T) {
	c := &Config{}
	values := map[string]string{"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url.ssh://x/.insteadOf", "GIT_CONFIG_VALUE_0": "x:"}
	c.environmentSettings(func(name string) string { return values[name] })
	if got := c.Rewrite("x:y", false); got != "ssh://x/y" {
		t.Errorf("got %q", got)
	}
}

func TestBrokenSettingsAreAnError(t *testing.T) {
	realserver.Need(t, "git")
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte("[broken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string { return map[string]string{"HOME": home}[name] }
	for _, load := range []func() (*Config, error){
		func() (*Config, error) { return Load(t.Context(), getenv) },
		func() (*Config, error) { return readFiles(getenv) },
	} {
		if _, err := load(); err == nil || !strings.Contains(err.Error(), ".gitconfig") {
			t.Errorf("got %v, want the file named", err)
		}
	}
	if files := files(getenv); !slices.Contains(files, filepath.Join(home, ".config", "git", "config")) {
		t.Errorf("got %v", files)
	}
}
