//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// activated is a service whose socket stays open while its process is replaced, as systemd does it.
type activated struct {
	t      *testing.T
	socket *os.File
	notify *net.UnixConn
	at     string // address of the socket
	where  string // of notify
	args   []string
	dir    string
	log    *os.File
	cmd    *exec.Cmd
}

func newActivated(t *testing.T, dir string, args ...string) *activated {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := &activated{t: t, at: l.Addr().String(), args: args, dir: dir}
	if a.socket, err = l.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	short, err := os.MkdirTemp("", "notify") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	a.where = filepath.Join(short, "s")
	if a.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: a.where, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	if a.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.stop()
		for _, err := range []error{a.socket.Close(), a.notify.Close(), a.log.Close(), os.RemoveAll(short)} {
			if err != nil {
				t.Error(err)
			}
		}
		if t.Failed() {
			text, _ := os.ReadFile(a.log.Name())
			t.Logf("%s", text)
		}
	})
	a.start()
	return a
}

// start starts a process and waits until it says that it is ready.
func (a *activated) start() {
	a.t.Helper()
	program, err := binary()
	if err != nil {
		a.t.Fatal(err)
	}
	a.cmd = exec.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, program}, a.args...)...)
	a.cmd.Dir, a.cmd.Stdout, a.cmd.Stderr, a.cmd.ExtraFiles = a.dir, a.log, a.log, []*os.File{a.socket}
	a.cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "LISTEN_FDNAMES=mirror.socket", "NOTIFY_SOCKET="+a.where)
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	text := make([]byte, 100)
	if err := a.notify.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		a.t.Fatal(err)
	}
	if n, err := a.notify.Read(text); err != nil || string(text[:n]) != "READY=1" {
		a.t.Fatalf("got %q, %v", text[:n], err)
	}
}

// stop has the process finish.
func (a *activated) stop() {
	a.t.Helper()
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		a.t.Error(err)
	}
	if err := a.cmd.Wait(); err != nil {
		a.t.Error(err)
	}
}

// visitors ask for the home page all the time: some on a connection that they keep, some on a new one for each
// request.
type visitors struct {
	at, want string
	pause    time.Duration // between two requests of one visitor
	served   atomic.Int64
	again    atomic.Int64 // on a new connection, since the one that was kept had been closed before the answer
	mu       sync.Mutex
	failed   []error
}

func (v *visitors) visit(ctx context.Context, keep bool) {
	var conn *visitorConn
	for ctx.Err() == nil {
		kept := conn != nil
		closed, err := v.ask(&conn)
		if err != nil && kept && errors.Is(err, errNoAnswer) { // browsers do the same (RFC 9110, section 9.2.2)
			v.again.Add(1)
			closed, err = v.ask(&conn)
		}
		if err != nil {
			v.mu.Lock()
			v.failed = append(v.failed, err)
			v.mu.Unlock()
			return
		}
		v.served.Add(1)
		time.Sleep(v.pause) // a visitor's own
		if closed || !keep {
			_ = conn.Close()
			conn = nil
		}
	}
	if conn != nil {
		_ = conn.Close()
	}
}

type visitorConn struct {
	net.Conn
	answers *bufio.Reader
}

// errNoAnswer says that a connection ended before the first byte of an answer.
var errNoAnswer = errors.New("the connection was closed before the answer")

// ask asks on a connection, or a new one if there is none. After an error there is none.
func (v *visitors) ask(conn **visitorConn) (closed bool, err error) {
	defer func() {
		if err != nil && *conn != nil {
			_ = (*conn).Close()
			*conn = nil
		}
	}()
	if *conn == nil {
		c, err := net.DialTimeout("tcp", v.at, time.Minute)
		if err != nil {
			return false, err
		}
		*conn = &visitorConn{c, bufio.NewReader(c)}
	}
	c := *conn
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return false, err
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); err != nil {
		return false, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if _, err := c.answers.Peek(1); err != nil {
		return false, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	resp, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return false, err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(text) != v.want {
		return false, fmt.Errorf("status %d, %q: %w", resp.StatusCode, text, err)
	}
	return resp.Close, nil
}

// TestRestartsLoseNoRequest replaces the process of a server and of a front while visitors ask.
func TestRestartsLoseNoRequest(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, filepath.Join(dir, "public"), map[string]string{"index.html": "home"})
	for name, args := range map[string][]string{
		"serve": {"serve", "public"},
		"front": {"front", "-c", "mirror.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := dir
			if name == "front" {
				own = publishedBehindFront(t)
			}
			a := newActivated(t, own, args...)
			v := &visitors{at: a.at, want: "home"}
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() { v.visit(ctx, i%2 == 0) })
			}
			for range 2 {
				v.more(t, 50)
				a.stop()
				a.start()
			}
			v.more(t, 50)
			cancel()
			all.Wait()
			t.Logf("%d requests served, %d of them sent again on a new connection, %d failed", v.served.Load(), v.again.Load(), len(v.failed))
			if len(v.failed) > 0 {
				t.Error(errors.Join(v.failed...))
			}
		})
	}
}

// more waits until so many more requests were served, or one has failed.
func (v *visitors) more(t *testing.T, n int64) {
	t.Helper()
	from, deadline := v.served.Load(), time.Now().Add(2*time.Minute)
	for v.served.Load() < from+n && time.Now().Before(deadline) {
		v.mu.Lock()
		failed := len(v.failed)
		v.mu.Unlock()
		if failed > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond) // real processes: nothing tells of a request
	}
}

// publishedBehindFront publishes a site to a folder that is served, and returns the folder of the config.
func publishedBehindFront(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, filepath.Join(dir, "public"), map[string]string{"index.html": "home"})
	disk := filepath.Join(dir, "www")
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.FileServerFS(os.DirFS(filepath.Join(disk, "current"))).ServeHTTP(w, r)
	}))
	t.Cleanup(origin.Close)
	config := fmt.Sprintf("version: 1\nsite: {dir: public}\ntargets:\n  - {name: disk, type: dir, path: www, origin: {url: %q}}\nfront: {quorum: 1}\n", origin.URL+"/")
	if err := os.WriteFile(filepath.Join(dir, "mirror.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "publish", "-c", "mirror.yaml")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}
