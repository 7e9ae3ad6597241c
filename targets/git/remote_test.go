package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/targettest"
)

func TestTokenOpensAndIsNotShown(t *testing.T) {
	const token = "s3cr3t-t0ken"
	r := newRepo(t, "main")
	base := realserver.GitHTTPAuth(t, filepath.Dir(r.dir), "x-access-token", token)
	t.Setenv("SITE_TOKEN", token)
	publish(t, open(t, Config{URL: base + "/site.git", TokenEnv: "SITE_TOKEN"}, targets.Env{}), v1)
	r.want(t, "index.html", "one")

	t.Setenv("SITE_TOKEN", "wr0ng-t0ken")
	withUser := strings.Replace(base, "://", "://me:wr0ng-t0ken@", 1)
	for _, c := range []Config{{URL: base + "/site.git", TokenEnv: "SITE_TOKEN"}, {URL: withUser + "/site.git"}} {
		_, err := open(t, c, targets.Env{}).Live(t.Context())
		if err == nil || !strings.Contains(err.Error(), "401") || !strings.Contains(err.Error(), "hint:") {
			t.Errorf("wrong token: got %v, want 401 and a hint", err)
		}
		wantNoSecret(t, err, "wr0ng-t0ken")
	}
}

func wantNoSecret(t *testing.T, err error, secret string) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err.Error()), secret) {
			t.Errorf("a secret is shown: %v", err)
		}
	}
}

// TestEchoedSecret has a server repeat the credentials that it got.
func TestEchoedSecret(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "no, %s\x1b[31m", password)
	}))
	defer server.Close()
	t.Setenv("SITE_TOKEN", "s3cr3t-t0ken")
	_, err := open(t, Config{URL: server.URL + "/x", TokenEnv: "SITE_TOKEN"}, targets.Env{}).Live(t.Context())
	wantNoSecret(t, err, "s3cr3t-t0ken")
	if err == nil || !strings.Contains(err.Error(), "no, [redacted]") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("got %v, want the server's words, without the secret and without escapes", err)
	}
}

func TestConfigRefused(t *testing.T) {
	for _, tc := range []struct {
		c    Config
		want string
	}{
		{Config{}, "url: missing"},
		{Config{URL: "https://me:s3cr3t@exa mple/\x7f"}, "url: is not an address"},
		{Config{URL: "ftp://host/x"}, "protocol that cannot be pushed to"},
		{Config{URL: "http://me:s3cr3t@example.com/x"}, "in clear"},
		{Config{URL: "https://example.com/x", TokenEnv: "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"},
		{Config{URL: "/x", Branch: "a..b"}, "branch"},
		{Config{URL: "/x", Author: "nobody"}, "author"},
	} {
		_, err := Open(t.Context(), targets.Env{Getenv: os.Getenv}, tc.c)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.c, err, tc.want)
		}
		wantNoSecret(t, err, "s3cr3t")
	}
}

func TestNoGitProgram(t *testing.T) {
	t.Setenv("PATH", "")
	_, err := Open(t.Context(), targets.Env{}, Config{URL: "/srv/site.git"})
	if err == nil || !strings.Contains(err.Error(), "hint: install git") {
		t.Errorf("got %v, want a hint to install git", err)
	}
}

func TestNoGitServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>welcome</html>")
	}))
	defer server.Close()
	_, err := open(t, Config{URL: server.URL + "/x"}, targets.Env{}).Live(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not as a git server") {
		t.Errorf("got %v, want it called no git server", err)
	}
}

func TestRedirectElsewhere(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://localhost.invalid/stolen", http.StatusFound))
	defer server.Close()
	_, err := open(t, Config{URL: server.URL + "/x"}, targets.Env{}).Live(t.Context())
	if err == nil || !strings.Contains(err.Error(), "sends us on to") {
		t.Errorf("got %v, want the redirect refused", err)
	}
}

func TestMissingRepository(t *testing.T) {
	realserver.Need(t, "git")
	_, err := open(t, Config{URL: filepath.Join(t.TempDir(), "none.git")}, targets.Env{}).Live(t.Context())
	if err == nil || !strings.Contains(err.Error(), "does not appear to be a git repository") {
		t.Errorf("got %v, want what git says", err)
	}
}

// TestSilentServer cancels while a server accepts connections and says nothing.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 4)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"ssh", "http"} {
		ctx, cancel := context.WithCancel(t.Context())
		tgt := open(t, Config{URL: scheme + "://" + l.Addr().String() + "/x", KnownHosts: known}, targets.Env{})
		done := make(chan error, 1)
		go func() { _, err := tgt.Live(ctx); done <- err }()
		conn := <-accepted
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want context.Canceled", scheme, err)
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("%s: the cancel was not heard", scheme)
		}
		conn.Close()
	}
}

func TestUnknownHostKey(t *testing.T) {
	server, other := realserver.SSHD(t, false), realserver.SSHD(t, false)
	r := newRepo(t, "main")
	tgt := open(t, Config{URL: server.URL(r.dir), SSHKey: server.Key, KnownHosts: other.KnownHosts}, targets.Env{})
	if _, err := tgt.Live(t.Context()); err == nil || !strings.Contains(err.Error(), "ssh-keyscan") {
		t.Errorf("got %v, want the unknown key refused with a hint", err)
	}
	tgt = open(t, Config{URL: server.URL(r.dir), SSHKey: other.Key, KnownHosts: server.KnownHosts}, targets.Env{})
	if _, err := tgt.Live(t.Context()); err == nil || !strings.Contains(err.Error(), "ssh_key") {
		t.Errorf("got %v, want the login refused with a hint", err)
	}
	tgt = open(t, Config{URL: server.URL(r.dir), SSHKey: server.Key, KnownHosts: server.KnownHosts}, targets.Env{})
	if _, err := tgt.Live(t.Context()); err != nil {
		t.Errorf("a plain shell: got %v, want nil", err)
	}
}

// hook installs a hook of the repository.
func (r repo) hook(t *testing.T, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "hooks", name), []byte("#!/bin/sh\n"+script), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
}

// TestServerRefuses shows the server's own words, over a stream and over HTTP.
func TestServerRefuses(t *testing.T) {
	r := newRepo(t, "main")
	r.hook(t, "update", `case $1 in refs/heads/gh-pages) echo "frozen until Monday" >&2; exit 1;; esac`)
	for _, url := range []string{r.dir, realserver.GitHTTP(t, filepath.Dir(r.dir)) + "/site.git"} {
		_, err := targettest.Publish(t.Context(), open(t, Config{URL: url}, targets.Env{}), targettest.Release(v1))
		if err == nil || !strings.Contains(err.Error(), "remote: frozen until Monday") || !strings.Contains(err.Error(), "hook declined") {
			t.Errorf("%s: got %v, want what the server said", url, err)
		}
		if errors.Is(err, targets.ErrConflict) {
			t.Errorf("%s: got %v, want no conflict", url, err)
		}
	}
}

// TestAnswerLost ends the server after it has moved the branch and before it says so.
func TestAnswerLost(t *testing.T) {
	longtest.Skip(t, "publishes over ssh")
	r := newRepo(t, "main")
	server := realserver.SSHD(t, true)
	for _, c := range []Config{
		{URL: r.dir},
		{URL: server.URL(r.dir), SSHKey: server.Key, KnownHosts: server.KnownHosts},
	} {
		tgt := open(t, c, targets.Env{})
		publish(t, tgt, v1)
		rel := targettest.Release(targettest.Files{"index.html": c.URL})
		if err := tgt.Stage(t.Context(), rel, nil); err != nil {
			t.Fatal(err)
		}
		live, err := tgt.Live(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		swap := targets.Swap{From: live, To: rel.ID()}
		r.hook(t, "reference-transaction", `[ "$1" = committed ] && grep -q gh-pages && kill -9 $PPID`)
		err = tgt.Commit(t.Context(), swap)
		r.hook(t, "reference-transaction", "exit 0")
		if err == nil || errors.Is(err, targets.ErrConflict) || errors.Is(err, targets.ErrNotStaged) {
			t.Errorf("a lost answer: got %v, want an error that settles nothing", err)
		}
		if err := tgt.Commit(t.Context(), swap); err != nil {
			t.Errorf("commit again: %v", err)
		}
		if err := tgt.Rollback(t.Context(), swap); err != nil {
			t.Errorf("rollback: %v", err)
		}
		r.want(t, "index.html", "one")
	}
}

// TestOnlyBranches publishes to a host that hides and refuses other refs than branches.
func TestOnlyBranches(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	r.run(t, nil, nil, "config", "transfer.hideRefs", "refs/mirror")
	for _, files := range []targettest.Files{v1, v2, v1} {
		publish(t, open(t, Config{URL: r.dir}, targets.Env{}), files)
	}
	r.want(t, "index.html", "one")
	if refs := r.run(t, nil, nil, "for-each-ref", "--format=%(refname)", fallbackPrefix); strings.Count(refs, fallbackPrefix) != 2 {
		t.Errorf("staged branches: got %s, want two", refs)
	}
}
