package kinds_test

import (
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/config"
	"mirror/targets/git"
	"mirror/targets/kinds"
)

// TestWrongValuesOfTargets holds each wrong value of a target's own keys to its place in the file: all
// of them are reported in one run, and nothing is opened.
func TestWrongValuesOfTargets(t *testing.T) {
	for _, c := range []struct{ target, want string }{
		{"type: git", `4:5: required key "url" is missing`},
		{"type: git, url: ''", "url: is empty"},
		{"type: git, url: 'git://x.example/a.git'", `url: "git://x.example/a.git" has a protocol that cannot be pushed to (hint: https, ssh, file or a path)`},
		{"type: git, url: 'ext::sh -c id'", "url: "},
		{"type: git, url: 'http://me:swordfish@x.example/a.git'", `url: "http://***@x.example/a.git" would send the credentials in clear (hint: https)`},
		{"type: git, url: u, branch: 'a..b'", `branch: "a..b" is not a branch name that git allows (hint: gh-pages)`},
		{"type: git, url: u, author: me", `author: "me" is not an author (hint: Name <name@example.com>)`},
		{"type: git, url: u, cname: 'https://blog.example.com/'", `cname: "https://blog.example.com/" is not a domain name (hint: blog.example.com)`},
		{"type: git, url: u, cname: localhost", "is not a domain name"},
		{"type: oci", `required key "image" is missing`},
		{"type: oci, image: 'ghcr.io/MyOrg/Blog:latest'", `image: "ghcr.io/MyOrg/Blog:latest" has capitals, which an image name may not have (hint: write it in lower case)`},
		{"type: oci, image: 'https://ghcr.io/me/b'", "begins with a scheme"},
		{"type: oci, image: 'ghcr.io/me/b@sha256:aaaa'", "names a digest"},
		{"type: oci, image: 'a b'", "is not an image name"},
		{"type: oci, image: 'ghcr.io/me/b:latest', platforms: [linux/amd64, arm64]", `4:81: platforms[1]: "arm64" is not an operating system and an architecture (hint: linux/amd64)`},
		{"type: oci, image: 'ghcr.io/me/b:latest', platforms: [linux/amd64, linux/amd64]", "is listed twice"},
		{"type: oci, image: 'ghcr.io/me/b:latest', compression: brotli", `compression: "brotli" is none of gzip, zstd`},
		{"type: oci, image: 'ghcr.io/me/b:latest', base: NGINX", `base: "NGINX" has capitals`},
		{"type: oci, image: 'ghcr.io/me/b:latest', web_root: www", `web_root: "www" is not the absolute path`},
		{"type: oci, image: 'ghcr.io/me/b:latest', rollout: {webhook: 'deploy.example.com'}", "rollout.webhook: "},
		{"type: oci, image: 'ghcr.io/me/b:latest', rollout: {webhook: 'http://deploy.example.com/x'}", "is sent in clear (hint: https; http is for this machine only)"},
		{"type: oci, image: 'ghcr.io/me/b:latest', rollout: {webhook: 'file:///etc/passwd'}", "is not an address that can be called"},
		{"type: oci, image: 'ghcr.io/me/b:latest', rollout: {exec: ['']}", `rollout.exec[0]: "" is not a command`},
		{"type: s3", `required key "bucket" is missing`},
		{"type: s3, bucket: 's3://me'", `bucket: "s3://me" is a URL (hint: write the name of the bucket alone`},
		{"type: s3, bucket: 'me/blog'", "write the folder in it under prefix"},
		{"type: s3, bucket: 'me blog'", "is not the name of a bucket"},
		{"type: s3, bucket: me, endpoint: s3.example.com", `endpoint: "s3.example.com" has no scheme (hint: write https:// before it)`},
		{"type: s3, bucket: me, endpoint: 'ftp://s3.example.com'", "begins with a scheme that S3 does not use"},
		{"type: s3, bucket: me, endpoint: 'https://'", "is not the URL of a service"},
		{"type: s3, bucket: me, endpoint: 'https://swordfish:swordfish@s3.example.com'", "holds a user name or password"},
		{"type: s3, bucket: me, region: 'US East (1)'", "is not a region"},
		{"type: s3, bucket: me, prefix: 'a/../b'", `prefix: "a/../b" has an empty part`},
		{"type: s3, bucket: me, layout: flat", `layout: "flat" is none of live, pointer`},
		{"type: s3, bucket: me, concurrency: 1000", `concurrency: "1000" is more than 256`},
		{"type: s3, bucket: me, access_key_env: A", `access_key_env: "A" needs secret_key_env beside it`},
		{"type: s3, bucket: me, headers: [{match: '**'}, {match: '*.js', cache_control: \"a\\nb: c\"}]", "headers[1].cache_control: "},
		{"type: ssh", `required key "url" is missing`},
		{"type: ssh, url: 'https://x.example/www'", "has a protocol that is not ssh"},
		{"type: ssh, url: 'ssh://me:swordfish@x.example/www'", "holds a password"},
		{"type: ssh, url: x.example", "is not an address of a folder on a host"},
		{"type: ssh, url: 'ssh://x.example'", "names no folder for the site"},
		{"type: ssh, url: 'me@x.example:'", "names no folder for the site"},
		{"type: ssh, url: 'ssh://-oProxyCommand=id/www'", "begins with a dash"},
		{"type: ssh, url: 'ssh://x.example:0/www'", "has a port that does not exist"},
		{"type: ssh, url: 'x.example:www', mode: '0755'", "is not a mode of files"},
		{"type: exec", `required key "command" is missing`},
		{"type: exec, command: [' ']", `command[0]: " " is not a program`},
		{"type: exec, command: [x], timeout: soon", `timeout: "soon" is not a duration (hint: 5m)`},
		{"type: dir", `required key "path" is missing`},
		{"type: dir, path: ''", "path: is empty"},
		{"type: dir, path: site", `path: "site" is the folder of the site itself`},
	} {
		errs := errorsOf(t, "  - {name: t, "+c.target+"}\n")
		if len(errs) != 1 || !strings.Contains(errs[0], c.want) || !strings.HasPrefix(errs[0], "mirror.yaml:4:") || strings.Contains(errs[0], "swordfish") {
			t.Errorf("%s: got %q, want one error with %q", c.target, errs, c.want)
		}
	}
}

func TestAllWrongTargetsInOneRun(t *testing.T) {
	errs := errorsOf(t, `  - {name: a, type: git, url: "git://x/y", branch: a..b}
  - {name: b, type: oci, image: A/B, platforms: [x, y]}
  - {name: c, type: s3, bucket: "s3://c", endpoint: c, layout: flat}
  - {name: d, type: dir, path: www}
  - {name: e, type: dir, path: ./www}
schedule: [{name: x, cron: "* * *", run: check}]
daemon: {listen: "8700"}
`)
	for i, want := range []string{":4:31: url", ":4:52: branch", ":5:33: image", ":5:50: platforms[0]", ":5:53: platforms[1]",
		":6:33: bucket", ":6:53: endpoint", ":6:64: layout", `:8:32: path: "./www" is where target "d" writes too`, ":9:28: cron", ":10:18: listen"} {
		if i >= len(errs) || !strings.HasPrefix(errs[i], "mirror.yaml"+want) {
			t.Fatalf("got\n%s\nwant line %d to begin with %q", strings.Join(errs, "\n"), i+1, want)
		}
	}
	if len(errs) != 11 {
		t.Errorf("got\n%s", strings.Join(errs, "\n"))
	}
}

func TestKeptPathsThatGitCannotRecord(t *testing.T) {
	glob := strings.Repeat("x", 300)
	errs := errorsOf(t, "  - {name: a, type: git, url: u}\npublish: {keep: [uploads/**, "+glob+"]}\n")
	if len(errs) != 1 || !strings.HasPrefix(errs[0], "mirror.yaml:5:30: keep: ") || !strings.Contains(errs[0], "is not a glob that a git target takes") {
		t.Errorf("got %q", errs)
	}
}

// TestSigningKeys are files beside the config, or the agent's.
func TestSigningKeys(t *testing.T) {
	for value, want := range map[string]string{"keys/sign": filepath.FromSlash("/srv/keys/sign"), "agent": "agent", "./agent": filepath.FromSlash("/srv/agent")} {
		text := "version: 1\nsite: {dir: site}\ntargets:\n  - {name: t, type: git, url: 'https://a.example/b', signing_key: " + value + "}\n"
		c, err := config.Parse("/srv/mirror.yaml", []byte(text), func(string) string { return "" }, kinds.All())
		if err != nil {
			t.Fatal(err)
		}
		var own git.Config
		if err := c.Targets[0].Decode(&own); err != nil || own.SigningKey != want {
			t.Errorf("%s: got %q, %v; want %q", value, own.SigningKey, err, want)
		}
	}
}

func TestAnEmptyPathIsNone(t *testing.T) {
	text := "version: 1\nsite: {dir: site}\ntargets:\n  - {name: t, type: git, url: 'https://a.example/b', ssh_key: '', known_hosts: '', signing_key: ''}\n"
	c, err := config.Parse("/srv/mirror.yaml", []byte(text), func(string) string { return "" }, kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	var own git.Config
	if err := c.Targets[0].Decode(&own); err != nil || own.SSHKey != "" || own.SigningKey != "" || own.KnownHosts != "" {
		t.Errorf("got %+v, %v", own, err)
	}
}

func TestValidTargets(t *testing.T) {
	for _, target := range []string{
		"type: git, url: /srv/site.git", "type: git, url: 'me@host.example:blog.git', branch: refs/heads/main", "type: git, url: 'http://127.0.0.1:1/x', token_env: A",
		"type: git, url: u, cname: 'блог.example', author: 'A B <a@b.example>'",
		"type: oci, image: 'localhost:5000/b', platforms: [linux/arm64/v8], compression: zstd", "type: oci, image: 'ghcr.io/me/b:V1', base: 'nginx@sha256:" + strings.Repeat("a", 64) + "'",
		"type: oci, image: 'ghcr.io/me/b:latest', rollout: {webhook: 'http://127.0.0.1:9/x'}", "type: oci, image: b, rollout: {webhook: 'https://a.example/b?c=d'}",
		"type: s3, bucket: My_Bucket.1, endpoint: 'http://127.0.0.1:9000', path_style: true", "type: s3, bucket: 'arn:aws:s3:us-west-2:1:accesspoint/x', prefix: /a/b/",
		"type: s3, bucket: b, endpoint: '', layout: live", "type: ssh, url: 'me@x.example:www/blog'", "type: ssh, url: '[::1]:/srv/www'",
		"type: ssh, url: 'ssh://me@[::1]:2222/srv/www'", "type: ssh, url: 'sftp://x.example/~/www', ssh_key: k", "type: exec, command: [./x.sh, a], workdir: d, timeout: 1h", "type: dir, path: /srv/www/x",
	} {
		if errs := errorsOf(t, "  - {name: t, "+target+"}\n"); len(errs) > 0 {
			t.Errorf("%s: got %q", target, errs)
		}
	}
}

// errorsOf lists what is wrong with a config that ends in these targets.
func errorsOf(t *testing.T, targets string) []string {
	t.Helper()
	text := "version: 1\nsite: {dir: site}\ntargets:\n" + targets
	_, err := config.Parse("mirror.yaml", []byte(text), func(string) string { return "" }, kinds.All())
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}
