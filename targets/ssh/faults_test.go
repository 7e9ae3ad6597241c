package ssh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/sshclient"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/ssh"
	"mirror/targets/ssh/internal/remote"
	"mirror/targets/targettest"
)

// cutting is a host whose connection is cut after so many bytes to the server, over all of its sessions.
type cutting struct {
	local
	left *atomic.Int64
	cut  *atomic.Bool
}

// Subsystem starts the sftp server.
func (c cutting) Subsystem(ctx context.Context, name string, stderr io.Writer) (*sshclient.Process, error) {
	return c.limit(c.local.Subsystem(ctx, name, stderr))
}

// Run runs a command.
func (c cutting) Run(ctx context.Context, line string, stderr io.Writer) (*sshclient.Process, error) {
	return c.limit(c.local.Run(ctx, line, stderr))
}

var errNoNetwork = errors.New("no network")

func (c cutting) limit(p *sshclient.Process, err error) (*sshclient.Process, error) {
	if err != nil {
		return nil, err
	}
	if c.cut.Load() {
		p.Kill()
		_ = p.Wait() // it was killed
		return nil, errNoNetwork
	}
	p.In = cutWriter{p.In, c, p.Kill}
	return p, nil
}

type cutWriter struct {
	io.WriteCloser
	cutting
	kill func()
}

// Write cuts what is too much, and all that comes after it.
func (w cutWriter) Write(b []byte) (int, error) {
	if w.cut.Load() || w.left.Add(-int64(len(b))) < 0 {
		w.cut.Store(true)
		w.kill()
		return 0, errNoNetwork
	}
	return w.WriteCloser.Write(b)
}

// TestConnectionCutAtAnyMoment publishes over connections that are cut after more and more bytes: what visitors see is
// the old release or the new one as a whole, and the next publish succeeds. It does so with a shell and without.
func TestConnectionCutAtAnyMoment(t *testing.T) {
	longtest.Skip(t, "cuts a connection at many moments")
	t.Parallel()
	for _, shell := range [][]string{nil, {"sh", "-c"}} {
		l, path := newLocal(t, shell...), filepath.Join(t.TempDir(), "blog")
		whole := remote.With(l, "local")
		old, next := targettest.Files{"index.html": "old", "a/same.html": "same", "b.html": "old"}, targettest.Files{"index.html": "new", "a/same.html": "same", "c.html": "new"}
		_, err := targettest.Publish(t.Context(), over(t, whole, path, targets.Env{Owner: "me"}), targettest.Release(old))
		must(t, err)
		cuts := 0
		for bytes := int64(20); ; bytes += 20 + bytes/5 {
			c := cutting{local: l, left: &atomic.Int64{}, cut: &atomic.Bool{}}
			c.left.Store(bytes)
			_, err := targettest.Publish(t.Context(), over(t, remote.With(c, "local"), path, targets.Env{Owner: "me"}), targettest.Release(next))
			if err == nil && !c.cut.Load() {
				break
			}
			cuts++
			index, b := read(t, path, "index.html"), read(t, path, "b.html")
			if index != "old" && index != "new" || (index == "old") != (b == "old") {
				t.Fatalf("cut after %d bytes: live are %q and %q", bytes, index, b)
			}
			for _, files := range []targettest.Files{next, old} {
				if _, err := targettest.Publish(t.Context(), over(t, whole, path, targets.Env{Owner: "me"}), targettest.Release(files)); err != nil {
					t.Fatalf("the publish after a cut after %d bytes: %v", bytes, err)
				}
			}
		}
		if cuts < 5 {
			t.Errorf("the connection was cut %d times, want more", cuts)
		}
	}
}

func read(t *testing.T, path, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path, "current", name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// odd is a host whose sftp server is another program.
type odd struct {
	local
	script string
}

// Subsystem starts the program.
func (o odd) Subsystem(ctx context.Context, _ string, stderr io.Writer) (*sshclient.Process, error) {
	return start(ctx, stderr, "sh", "-c", o.script)
}

// TestHostileServers talks to servers that say nothing, nonsense, or without end: a clear error in bounded time.
func TestHostileServers(t *testing.T) {
	longtest.Skip(t, "waits for servers to be given up")
	t.Parallel()
	const version = `printf '\0\0\0\5\2\0\0\0\3'; ` // the answer to the greeting
	for name, c := range map[string]struct{ script, want string }{
		"silent":                 {`exec sleep 600`, "made no progress for"},
		"silent after greeting":  {version + `exec sleep 600`, "made no progress for"},
		"a banner":               {`echo This account is not available; exec sleep 600`, "ssh to host: "},
		"ends":                   {`echo go away >&2; exit 1`, "go away"},
		"ends after greeting":    {version + `exit 0`, "the connection was cut"},
		"floods":                 {version + `exec yes`, "ssh to host: "},
		"answers to no request":  {version + `printf '\0\0\0\21\145\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0'; exec sleep 600`, "ssh to host: "},
		"a version of long ago":  {`printf '\0\0\0\5\2\0\0\0\1'; exec sleep 600`, "ssh to host: "},
		"an answer without end":  {version + `printf '\0\3\377\377\150'; exec yes`, "ssh to host: "},
		"a packet without a sum": {version + `printf '\0\0\0\1\145'; exec sleep 600`, "ssh to host: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := remote.With(odd{newLocal(t), c.script}, "host")
			if strings.Contains(c.want, "no progress") {
				host = host.WithSilence(2 * time.Second)
			}
			tgt := over(t, host, "/srv/blog", targets.Env{})
			ended := make(chan error, 1)
			go func() {
				_, err := tgt.Plan(t.Context(), targettest.Release(targettest.Files{"index.html": "x"}))
				ended <- err
			}()
			select {
			case err := <-ended:
				if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 6000 {
					t.Errorf("got %.300v, want %q", err, c.want)
				}
			case <-time.After(2 * time.Minute):
				t.Fatal("the call does not end")
			}
		})
	}
}

// TestModesAreIndependentOfTheUmask has accounts with narrow umasks publish a site in folders.
func TestModesAreIndependentOfTheUmask(t *testing.T) {
	t.Parallel()
	for _, shell := range [][]string{nil, {"sh", "-c"}} {
		path := filepath.Join(t.TempDir(), "deep", "blog")
		host := remote.With(newLocal(t, shell...), "local") // its umask is 077
		for i, mode := range []string{"", "0640"} {
			tgt, err := ssh.Over(host, path, targets.Env{}, ssh.Config{Mode: mode})
			must(t, err)
			_, err = targettest.Publish(t.Context(), tgt, targettest.Release(targettest.Files{"a/b/c.html": "c", "index.html": fmt.Sprint(i)}))
			must(t, err)
			file, folder := os.FileMode(0o644), os.FileMode(0o755)
			if mode != "" {
				file, folder = 0o640, 0o750
			}
			for name, want := range map[string]os.FileMode{"a": folder, "a/b": folder, "a/b/c.html": file, "index.html": file, site.DefaultBeacon: file, ".well-known": folder, ".": folder} {
				info, err := os.Stat(filepath.Join(path, "current", name))
				must(t, err)
				if got := info.Mode().Perm(); got != want {
					t.Errorf("shell %v, mode %q: %s has mode %o, want %o", shell, mode, name, got, want)
				}
			}
		}
	}
}

// TestOnlyChangedFilesAreSent counts what a second release sends; the others are second names of the same files.
func TestOnlyChangedFilesAreSent(t *testing.T) {
	t.Parallel()
	for _, shell := range [][]string{nil, {"sh", "-c"}} {
		path := filepath.Join(t.TempDir(), "blog")
		tgt := over(t, remote.With(newLocal(t, shell...), "local"), path, targets.Env{})
		files := targettest.Files{"index.html": "one", "a/b.html": "b", "quote'\"\\ \n文.html": "q"}
		_, err := targettest.Publish(t.Context(), tgt, targettest.Release(files))
		must(t, err)
		before, err := os.Stat(filepath.Join(path, "current", "quote'\"\\ \n文.html"))
		must(t, err)
		files["index.html"] = "two"
		rel, sent := targettest.Release(files), &sum{}
		_, err = tgt.Plan(t.Context(), rel)
		must(t, err)
		must(t, tgt.Stage(t.Context(), rel, sent))
		after, err := os.Stat(filepath.Join(path, "releases", string(rel.ID()), "quote'\"\\ \n文.html"))
		must(t, err)
		if sent.files.Load() != 1 || !os.SameFile(before, after) {
			t.Errorf("shell %v: %d files were sent, want 1; the unchanged file is the same one: %t", shell, sent.files.Load(), os.SameFile(before, after))
		}
	}
}

type sum struct{ files atomic.Int64 }

func (*sum) Expect(int, int64)         {}
func (s *sum) Sent(files int, _ int64) { s.files.Add(int64(files)) }
