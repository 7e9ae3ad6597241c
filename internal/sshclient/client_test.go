package sshclient

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/realserver"
)

// TestClientOfOurOwn logs in without the program ssh.
func TestClientOfOurOwn(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "ssh-keygen")
	l := newLab(t)
	l.newKey(t, "wrong")
	l.newKey(t, "ca")
	l.newKey(t, "signed")
	run(t, "ssh-keygen", "-q", "-s", filepath.Join(l.dir, "ca"), "-I", "user", "-n", l.User, filepath.Join(l.dir, "signed.pub"))
	l.let(t, "cert-authority", filepath.Join(l.dir, "ca.pub"))
	known, err := os.ReadFile(l.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(string(known), " ")
	write(t, filepath.Join(l.dir, "alias"), "other "+key)
	write(t, filepath.Join(l.dir, "none"), "")
	base := settings{hostName: l.host, port: l.port, user: l.User, knownHosts: []string{l.KnownHosts}}
	with := func(change func(s *settings)) settings { s := base; change(&s); return s }
	for name, tc := range map[string]struct {
		settings settings
		want     string // of the error
	}{
		"second identity": {with(func(s *settings) { s.identityFiles = []string{filepath.Join(l.dir, "wrong"), l.Key} }), ""},
		"certificate":     {with(func(s *settings) { s.identityFiles = []string{filepath.Join(l.dir, "signed")} }), ""},
		"host key alias": {with(func(s *settings) {
			s.identityFiles, s.hostKeyAlias, s.knownHosts = []string{l.Key}, "other", []string{filepath.Join(l.dir, "alias")}
		}), ""},
		"wrong key": {with(func(s *settings) { s.identityFiles = []string{filepath.Join(l.dir, "wrong")} }), "ssh-add"},
		"unknown": {with(func(s *settings) { s.knownHosts = []string{filepath.Join(l.dir, "none")} }),
			fmt.Sprintf("ssh-keyscan -p %s %s >> ~/.ssh/known_hosts", l.port, l.host)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clientWith(Host{Name: "blog"}, Options{Getenv: environ()}, tc.settings)
			out, _, err := runOn(t.Context(), c)
			if tc.want == "" && (err != nil || out != "hello") || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %q, %v; want %s", out, err, tc.want)
			}
		})
	}
}

// TestPasswordsGoWithoutSSH: the program ssh takes a password from a terminal alone.
func TestPasswordsGoWithoutSSH(t *testing.T) {
	realserver.Need(t, "ssh")
	for _, tc := range []struct {
		host Host
		env  []string
		own  bool
	}{
		{Host{Name: "127.0.0.1"}, nil, false},
		{Host{Name: "127.0.0.1", Password: "secret"}, nil, true},
		{Host{Name: "127.0.0.1", Password: "secret"}, []string{"GIT_SSH", "plink"}, false},
	} {
		d, err := New(tc.host, Options{Getenv: environ(tc.env...)})
		if _, own := d.(*client); err == nil && own != tc.own {
			t.Errorf("%+v %v: got %T, %v", tc.host, tc.env, d, err)
		}
	}
}

// TestSettingsThatNeedSSH are refused by name, where they are for the host.
func TestSettingsThatNeedSSH(t *testing.T) {
	for config, want := range map[string]string{
		"Host blog\n ProxyJump bastion\n":                    "ProxyJump is set for blog",
		"Host b*\n ProxyCommand nc %h %p\n":                  "ProxyCommand",
		"Host *\n ProxyJump none\n":                          "",
		"Host other\n ProxyJump bastion\n":                   "",
		"CertificateFile x\n":                                "CertificateFile",
		"IdentityAgent /run/agent\n":                         "IdentityAgent",
		"Match final all\n GSSAPIAuthentication yes\n":       "Match",
		"Host blog\n IdentityFile /keys/%C\n":                "%C",
		"Host blog\n HostName h\n ServerAliveInterval 30\n":  "",
		"Host blog\n Ciphers aes256-gcm@openssh.com\n":       "Ciphers",
		"Host blog\n  AddressFamily any\n Compression yes\n": "",
	} {
		path := filepath.Join(t.TempDir(), "config")
		write(t, path, config)
		_, err := settingsFrom(Host{Name: "blog"}, "/home/me", []string{path, "/nonexistent"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "openssh-client")) {
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
}

func TestSettingsOfOurOwnClient(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	write(t, path, `
Host blog
 HostName %h.example.com
 Port 2222
 User deploy
 HostKeyAlias alias
 IdentitiesOnly yes
 IdentityFile "%d/keys/one"
 IdentityFile ~/keys/%r@%h-%n
 UserKnownHostsFile ~/a %d/b
`)
	got, err := settingsFrom(Host{Name: "blog"}, "/home/me", []string{path})
	want := settings{
		hostName: "blog.example.com", port: "2222", user: "deploy", hostKeyAlias: "alias", identitiesOnly: true,
		identityFiles: []string{"/home/me/keys/one", "/home/me/keys/deploy@blog.example.com-blog"}, knownHosts: []string{"/home/me/a", "/home/me/b"},
	}
	if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	c := clientWith(Host{Name: "blog", Port: 22}, Options{}, got)
	if c.name != "blog.example.com:22" || c.known != "alias:22" || c.user != "deploy" {
		t.Errorf("got %+v", c)
	}
	if got, err = settingsFrom(Host{Name: "other"}, "", nil); err != nil || len(got.identityFiles) > 0 {
		t.Errorf("no home: got %+v, %v", got, err)
	}
	got, err = settingsFrom(Host{Name: "other"}, "/home/me", nil)
	if err != nil || len(got.identityFiles) != 3 || !strings.HasPrefix(got.identityFiles[0], "/home/me/.ssh/id_") {
		t.Errorf("got %+v, %v", got, err)
	}
}
