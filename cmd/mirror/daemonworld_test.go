package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/history"
	"mirror/internal/lab"
	"mirror/internal/realserver"
	"mirror/site"
)

// daemonWorld is a config for the lab's origins, and the real program on it.
type daemonWorld struct {
	t      testing.TB
	dir    string
	config string
	lab    *lab.Lab
	hook   *hook
}

// newDaemonWorld publishes a small site to a lab; more is the rest of the config.
func newDaemonWorld(t testing.TB, more string) *daemonWorld {
	t.Helper()
	l, err := lab.Start(t.Context(), lab.Options{ContentType: site.ContentType})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // what it leaves is in a folder of the test's
	w := &daemonWorld{t: t, dir: t.TempDir(), lab: l, hook: newHook(t)}
	w.config = filepath.Join(w.dir, "mirror.yaml")
	w.write("public/404.html", "gone")
	w.write("public/index.html", "home")
	for i := range 20 {
		w.write(fmt.Sprintf("public/posts/%d.html", i), fmt.Sprintf("post %d", i))
	}
	w.write("mirror.yaml", string(l.Config(filepath.Join(w.dir, "public")))+fmt.Sprintf("notify: [{name: hook, url: %q}]\n", w.hook.url)+more)
	w.run("publish", "-q")
	return w
}

func (w *daemonWorld) write(name, text string) {
	w.t.Helper()
	file := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *daemonWorld) command(args ...string) *exec.Cmd {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"-c", w.config}, args...)...)
	cmd.Env = append(os.Environ(), "API_TOKEN=secret-of-the-test")
	if w.lab != nil {
		cmd.Env = append(cmd.Env, lab.AccessKeyEnv+"="+w.lab.S3.AccessKey, lab.SecretKeyEnv+"="+w.lab.S3.SecretKey)
	}
	return cmd
}

func (w *daemonWorld) run(args ...string) {
	w.t.Helper()
	if out, err := w.command(args...).CombinedOutput(); err != nil {
		w.t.Fatalf("mirror %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// runningDaemon is a `mirror daemon` of its own process.
type runningDaemon struct {
	t   testing.TB
	cmd *exec.Cmd
	url string // of the dashboard
	log *syncBuffer
}

// start starts a daemon with a dashboard, and waits until that answers.
func (w *daemonWorld) start(args ...string) *runningDaemon {
	w.t.Helper()
	addr := realserver.Loopback(realserver.FreePort(w.t))
	d := &runningDaemon{t: w.t, url: "http://" + addr, log: &syncBuffer{}}
	d.cmd = w.command(append([]string{"daemon", "--listen", addr}, args...)...)
	d.cmd.Stderr = d.log
	if err := d.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = d.cmd.Process.Kill() }) // it may have ended
	await(w.t, "the dashboard", func() bool { return d.get("/healthz") == "alive\n" })
	return d
}

// get returns a page, "" where there is none.
func (d *runningDaemon) get(path string) string {
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

// stop stops the daemon and wants that to be clean.
func (d *runningDaemon) stop(signal os.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(signal); err != nil {
		d.t.Fatal(err)
	}
	late := time.AfterFunc(stopping, func() {
		d.t.Errorf("%s: it runs on after %s", signal, stopping)
		_ = d.cmd.Process.Kill() // it may have ended
	})
	defer late.Stop()
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("%s: %v\n%s", signal, err, d.log)
	}
}

// stopping is how long a daemon may take to stop on a busy machine: 5 s, where nothing else runs.
const stopping = 2 * time.Minute

// await looks until done, and fails after some minutes.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); !done(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write never fails.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns all so far.
func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// hook is a webhook that remembers what it was told.
type hook struct {
	url  string
	mu   sync.Mutex
	told []string // "opened drift s3"
}

func newHook(t testing.TB) *hook {
	h := &hook{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct {
			Events []struct{ Change, Kind, Origin string }
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, e := range m.Events {
			h.told = append(h.told, e.Change+" "+e.Kind+" "+e.Origin)
		}
	}))
	t.Cleanup(server.Close)
	h.url = server.URL + "/hook"
	return h
}

func (h *hook) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.told...)
}

// count tells how often something was told.
func (h *hook) count(what string) (n int) {
	for _, told := range h.all() {
		if told == what {
			n++
		}
	}
	return n
}

// history opens what the daemon remembers, beside it.
func (w *daemonWorld) history() *history.Store {
	w.t.Helper()
	h, err := history.Open(w.t.Context(), filepath.Join(w.dir, ".mirror", history.Name))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = h.Close() }) // it was only read
	return h
}
