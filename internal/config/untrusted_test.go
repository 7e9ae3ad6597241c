package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mirror/internal/config"
	"mirror/targets"
	"mirror/targets/kinds"
)

func getenv(name string) string {
	return map[string]string{"TOKEN": "swordfish", "HOST": "evil.example"}[name]
}

// untrusted reads a config that is not trusted, from a folder of its own.
func untrusted(t *testing.T, u config.Untrusted, rest string) (string, error) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"site", ".git/hooks", "www"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	file := filepath.Join(dir, "mirror.yaml")
	if !strings.Contains(rest, "site:") {
		rest = "site: {dir: site}\n" + rest
	}
	u.On = true
	_, err = config.Source{Getenv: getenv, Kinds: kinds.All(), Untrusted: &u}.Parse(file, []byte("version: 1\n"+rest))
	if err == nil {
		return "", nil
	}
	return strings.ReplaceAll(err.Error(), file+":", ""), err
}

const disk = "targets: [{name: a, type: dir, path: www"

func TestUntrustedRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a build", "site: {dir: site, build: make}\n" + disk + "}]\n", `2:26: build: "make" is a command, which a config that is not trusted may not run`},
		{"a command of a rollout", "targets: [{name: a, type: oci, image: ghcr.io/me/b, rollout: {exec: [sh, -c, id]}}]\n", "3:69: rollout.exec: a list is a command"},
		{"a hook", disk + "}]\nhooks: {after_publish: [sh, -c, id]}\n", `4:25: after_publish: "sh" is a command, which a config that is not trusted may not run`},
		{"a cache", disk + ", origin: {url: 'https://ok.example/', purge: [{type: varnish, url: 'http://127.0.0.1:6081'}]}}]\n",
			"purge: type varnish is on http://127.0.0.1:6081, which a config that is not trusted may not use (hint: --allow-origin http://127.0.0.1:6081)"},
		{"a CDN", disk + ", origin: {url: 'https://ok.example/', purge: [{type: cloudfront, distribution: E1}]}}]\n", "purge: type cloudfront is on https://cloudfront.amazonaws.com, which"},
		{"a webhook", "targets: [{name: a, type: oci, image: ghcr.io/me/b, rollout: {webhook: 'https://evil.example/s'}}]\n",
			`3:72: rollout.webhook: "https://evil.example/***" is on https://evil.example, which a config that is not trusted may not use (hint: --allow-origin https://evil.example)`},
		{"a repository of this machine, whose hooks run", "targets: [{name: a, type: git, url: ./repo.git}]\n", `url: "./repo.git" is a command`},
		{"a variable", disk + ", origin: {url: 'https://ok.example/${TOKEN}'}}]\n", "3:57: environment variable TOKEN is not allowed in a config that is not trusted (hint: --allow-env TOKEN"},
		{"the name of a variable", "targets: [{name: a, type: git, url: 'https://ok.example/x', token_env: TOKEN}]\n", "token_env: environment variable TOKEN is not allowed"},
		{"an origin", disk + ", origin: {url: 'https://evil.example/'}}]\n", `origin.url: "https://evil.example/" is on https://evil.example, which`},
		{"an origin by another scheme", disk + ", origin: {url: 'http://ok.example/'}}]\n", "is on http://ok.example, which"},
		{"an origin at another port", disk + ", origin: {url: 'https://ok.example:8443/'}}]\n", "is on https://ok.example:8443, which"},
		{"an origin with a longer name", disk + ", origin: {url: 'https://ok.example.evil.example/'}}]\n", "is on https://ok.example.evil.example, which"},
		{"metadata of a cloud", disk + ", origin: {url: 'http://169.254.169.254/'}}]\n", "is on http://169.254.169.254, which"},
		{"this machine", disk + ", origin: {url: 'http://[::1]:9000/'}}]\n", "is on http://[::1]:9000, which"},
		{"an address", disk + ", origin: {url: 'https://ok.example/', address: 10.0.0.1}}]\n", `origin.address: "10.0.0.1" is on https://10.0.0.1, which`},
		{"an address of IPv6", disk + ", origin: {url: 'https://ok.example/', address: '::1'}}]\n", `origin.address: "::1" is on https://[::1], which`},
		{"an origin of its own", disk + "}]\norigins: [{name: b, url: 'https://evil.example/'}]\n", `4:26: url: "https://evil.example/" is on https://evil.example, which`},
		{"the address of an origin of its own", disk + "}]\norigins: [{name: b, url: 'https://ok.example/', address: evil.example}]\n", `address: "evil.example" is on https://evil.example, which`},
		{"a git host", "targets: [{name: a, type: git, url: 'git@evil.example:me/x.git'}]\n", "is on ssh://evil.example, which"},
		{"a bucket service", "targets: [{name: a, type: s3, bucket: b, endpoint: 'https://evil.example'}]\n", "is on https://evil.example, which"},
		{"AWS", "targets: [{name: a, type: s3, bucket: b}]\n", "endpoint: is on https://s3.amazonaws.com, which"},
		{"the keys of a machine", "targets: [{name: a, type: s3, bucket: b, endpoint: 'https://ok.example', instance_role: true}]\n", `instance_role: "true" is on http://169.254.169.254, which`},
		{"certificates", "targets: [{name: a, type: s3, bucket: b, endpoint: 'https://ok.example', ca_bundle: /etc/x.pem}]\n", `ca_bundle: "/etc/x.pem" is not below`},
		{"a registry", "targets: [{name: a, type: oci, image: 'evil.example/b'}]\n", "is on https://evil.example, which"},
		{"the registry of a base", "targets: [{name: a, type: oci, image: 'ghcr.io/b/c', base: 'evil.example/b'}]\n", "base: "},
		{"a place to notify", disk + "}]\nnotify: [{url: 'https://evil.example/x'}]\n", `url: "https://evil.example/***" is on https://evil.example, which`},
		{"a service to notify", disk + "}]\nnotify: [{url: 'ntfy://ntfy.sh/topic'}]\n", "which a config that is not trusted may not use"},
		{"a folder outside", "targets: [{name: a, type: dir, path: ../x}]\n", "is not below the folder of the config"},
		{"an absolute folder", "targets: [{name: a, type: dir, path: /etc/x}]\n", "is not below the folder of the config"},
		{"a folder through a link", "targets: [{name: a, type: dir, path: link/x}]\n", "leads through a link"},
		{"hooks of git", "targets: [{name: a, type: dir, path: .git/hooks}]\n", "is in .git"},
		{"a site outside", "site: {dir: /etc}\n" + disk + "}]\n", `dir: "/etc" is not below the folder of the config`},
		{"a site through a link", "site: {dir: link}\n" + disk + "}]\n", "leads through a link"},
		{"a key of ssh", "targets: [{name: a, type: git, url: 'https://ok.example/x', ssh_key: /root/.ssh/id}]\n", "ssh_key: "},
		{"known hosts", "targets: [{name: a, type: git, url: 'https://ok.example/x', known_hosts: '~/x'}]\n", "known_hosts: "},
		{"a binary", "targets: [{name: a, type: oci, image: 'ghcr.io/b/c', self_binary: /bin/sh}]\n", "self_binary: "},
	} {
		got, err := untrusted(t, config.Untrusted{Origins: []string{"https://ok.example", "ghcr.io"}}, c.text)
		if err == nil || !strings.Contains(got, c.want) || strings.Contains(got, "swordfish") || strings.Contains(got, "\n") {
			t.Errorf("%s: got %q, want one error with %q", c.name, got, c.want)
		}
	}
}

func TestUntrustedAllows(t *testing.T) {
	for _, c := range []struct {
		name, text string
		u          config.Untrusted
	}{
		{"a folder", disk + "}]\n", config.Untrusted{}},
		{"the folder of the config as the site", "site: {dir: .}\ntargets: [{name: a, type: oci, image: 'ghcr.io/b/c'}]\n", config.Untrusted{Origins: []string{"ghcr.io"}}},
		{"a URL", disk + ", origin: {url: 'https://OK.example:443/x/', address: '10.0.0.1:443'}}]\n", config.Untrusted{Origins: []string{"https://ok.example/", "https://10.0.0.1"}}},
		{"http", disk + ", origin: {url: 'http://127.0.0.1:8080/'}}]\n", config.Untrusted{Origins: []string{"http://127.0.0.1:8080"}}},
		{"a host by ssh", "targets: [{name: a, type: git, url: 'git@github.com:me/x.git'}]\n", config.Untrusted{Origins: []string{"github.com"}}},
		{"a service", "targets: [{name: a, type: s3, bucket: b, endpoint: 'https://s3.ok.example/', access_key_env: TOKEN, secret_key_env: TOKEN}]\n",
			config.Untrusted{Env: []string{"TOKEN"}, Origins: []string{"s3.ok.example"}}},
		{"a variable", "targets: [{name: a, type: oci, image: 'ghcr.io/b/c', rollout: {webhook: 'https://ok.example/${TOKEN}'}}]\n",
			config.Untrusted{Env: []string{"TOKEN"}, Origins: []string{"ok.example", "ghcr.io"}}},
	} {
		if got, err := untrusted(t, c.u, c.text); err != nil {
			t.Errorf("%s: got %s", c.name, got)
		}
	}
}

// TestAllKindsSayWhatTheyUse wants every kind to be one that a config that is not trusted can be judged by.
func TestAllKindsSayWhatTheyUse(t *testing.T) {
	for _, kind := range kinds.All() {
		if _, ok := kind.Config.(targets.Accessor); !ok {
			t.Errorf("%s: the config struct has no Access (hint: list every key that names a host, a file or a command)", kind.Name)
			continue
		}
		own := reflect.New(reflect.TypeOf(kind.Config)).Elem()
		var files []string
		for i := range own.NumField() {
			if f := own.Type().Field(i); strings.Contains(f.Tag.Get("jsonschema"), "format=path") {
				own.Field(i).SetString("/some/file")
				files = append(files, f.Tag.Get("yaml"))
			}
		}
		all := own.Interface().(targets.Accessor).Access()
		for _, key := range files {
			if !slices.Contains(all, targets.Access{Key: key, File: "/some/file"}) {
				t.Errorf("%s: Access does not list the file of %s", kind.Name, key)
			}
		}
	}
}

func TestUntrustedIsValidated(t *testing.T) {
	for want, u := range map[string]config.Untrusted{
		"are for --untrusted":                   {Env: []string{"A"}},
		"--allow-env a-b":                       {On: true, Env: []string{"a-b"}},
		"--allow-origin : is neither":           {On: true, Origins: []string{""}},
		"--allow-origin https:///x: is neither": {On: true, Origins: []string{"https:///x"}},
	} {
		if err := u.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	fine := config.Untrusted{On: true, Env: []string{"A"}, Origins: []string{"a.example", "http://[::1]:80/x"}}
	if err := fine.Validate(); err != nil {
		t.Error(err)
	}
}
