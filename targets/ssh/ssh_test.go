package ssh_test

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/ssh"
	"mirror/targets/ssh/internal/remote"
	"mirror/targets/targettest"
)

// TestTargetWithShell runs the suite on OpenSSH's sftp server beside a shell.
func TestTargetWithShell(t *testing.T) {
	t.Parallel()
	suite(t, newLocal(t, "sh", "-c"))
}

// TestTargetWithoutShell runs the suite where the account may use sftp only.
func TestTargetWithoutShell(t *testing.T) {
	longtest.Skip(t, "runs the whole suite of a target once more")
	t.Parallel()
	suite(t, newLocal(t))
}

// suite runs the suite on one connection: handles on a place share nothing else.
func suite(t *testing.T, l local) {
	host := remote.With(l, "local")
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		path := filepath.Join(t.TempDir(), "blog's 文章\n!")
		return fixture(path, func(t *testing.T, env targets.Env) targets.Target { return over(t, host, path, env) })
	})
}

// TestRealHosts publishes to an sshd that gives the account a shell, and to one that lets it use sftp only: a
// release, the next one, a rollback of a commit whose outcome is not known, and again.
func TestRealHosts(t *testing.T) {
	longtest.Skip(t, "publishes to hosts of several kinds")
	t.Parallel()
	for name, more := range map[string]string{"shell": "", "sftp only": "ForceCommand internal-sftp\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			realserver.Need(t, "ssh")
			s, path := realserver.SSHDWith(t, more), filepath.Join(t.TempDir(), "www", "blog")
			one, two := targettest.Release(targettest.Files{"index.html": "one", "a/b.html": "b"}), targettest.Release(targettest.Files{"index.html": "two", "a/b.html": "b"})
			tgt := open(t, s, path, targets.Env{})
			_, err := targettest.Publish(t.Context(), tgt, one)
			must(t, err)
			wantServed(t, tgt, path, one, "one")
			swap, err := targettest.Publish(t.Context(), tgt, two)
			must(t, err)
			wantServed(t, tgt, path, two, "two")
			must(t, tgt.Rollback(t.Context(), swap))
			wantServed(t, tgt, path, one, "one")
			_, err = targettest.Publish(t.Context(), tgt, two)
			must(t, err)
			wantServed(t, tgt, path, two, "two")
		})
	}
}

func wantServed(t *testing.T, tgt *ssh.Target, path string, rel *site.Release, index string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path, "current", "index.html"))
	if err != nil || string(text) != index {
		t.Errorf("index.html: got %q, %v; want %q", text, err, index)
	}
	if m, err := tgt.ReadBack(t.Context()); err != nil || m.ID() != rel.ID() {
		t.Errorf("read back: got %v, %v; want release %s", m, err, rel.ID().Short())
	}
}

// TestBusybox publishes to a host whose shell and tools are busybox's.
func TestBusybox(t *testing.T) {
	t.Parallel()
	busybox, bin := realserver.Need(t, "busybox"), t.TempDir()
	must(t, exec.Command(busybox, "--install", "-s", bin).Run())
	path := filepath.Join(t.TempDir(), "blog")
	host := remote.With(newLocal(t, busybox, "env", "-i", "PATH="+bin, busybox, "sh", "-c"), "local")
	for _, files := range []targettest.Files{
		{"index.html": "one", "a/ü \\.html": "same", "文/-x": "same", strings.Repeat("long", 40) + "/" + strings.Repeat("長", 80): "long"},
		{"index.html": "two", "a/ü \\.html": "same", "文/-x": "same", "new": ""},
	} {
		tgt, rel := over(t, host, path, targets.Env{}), targettest.Release(files)
		_, err := targettest.Publish(t.Context(), tgt, rel)
		must(t, err)
		wantServed(t, tgt, path, rel, files["index.html"])
		must(t, tgt.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -1}))
	}
}

// fixture is a place in a folder of this machine that open reaches.
func fixture(path string, open func(t *testing.T, env targets.Env) targets.Target) targettest.Fixture {
	return targettest.Fixture{
		Kind: ssh.Kind(),
		Open: func(t *testing.T, _ http.RoundTripper) targets.Target { return open(t, targets.Env{}) },
		Guarded: func(t *testing.T, owner string, lease time.Duration, _ http.RoundTripper) targets.Target {
			return open(t, targets.Env{Owner: owner, Lease: lease})
		},
		Silence: ssh.Silence,
		Gracing: func(t *testing.T, policy *grace.Policy) targets.Target { return open(t, targets.Env{Grace: policy}) },
		Keeping: func(t *testing.T, keep targets.Keep) targets.Target { return open(t, targets.Env{Keep: keep}) },
		Holds:   func(t *testing.T, text string) string { return targettest.HoldsText(t, path, text) },
		Read:    func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(path, "current", name)) },
		Put:     func(t *testing.T, files map[string][]byte) { edit(t, path, files) },
	}
}

func open(t testing.TB, s realserver.SSH, path string, env targets.Env) *ssh.Target {
	t.Helper()
	env.Getenv = func(string) string { return "" }
	tgt, err := ssh.Open(env, ssh.Config{URL: (&url.URL{Scheme: "ssh", User: url.User(s.User), Host: s.Addr, Path: path}).String(), SSHKey: s.Key, KnownHosts: s.KnownHosts})
	must(t, err)
	return tgt
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// edit edits the live folder; where nothing is live it makes one of its own.
func edit(t *testing.T, path string, files map[string][]byte) {
	t.Helper()
	live := filepath.Join(path, "current")
	if _, err := os.Stat(live); err != nil {
		must(t, os.MkdirAll(filepath.Join(path, "theirs"), 0o755))
		must(t, os.Symlink("theirs", live))
	}
	for name, text := range files {
		file := filepath.Join(live, name)
		if text == nil {
			must(t, os.Remove(file))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, text, 0o644))
	}
}
