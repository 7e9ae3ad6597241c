//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/front"
	"mirror/internal/longtest"
)

// frontWorld is the real program as a front over two origins, which serve the folder of a target.
type frontWorld struct {
	t       *testing.T
	dir     string
	origins []*httptest.Server
	answers [2]atomic.Pointer[http.Handler] // of the origins

	at    atomic.Pointer[string] // URL of the front that runs
	epoch atomic.Int64           // odd from before a kill until the next process listens
	cmd   *exec.Cmd
	ended chan error // of cmd

	served atomic.Int64 // right answers
	latest atomic.Int64 // the newest release of which a visitor has had a whole answer
	mu     sync.Mutex   // guards what follows
	failed []string
}

// errNoRelease says that an answer names no release.
var errNoRelease = errors.New("the answer is of no release")

// largeBody is a file that is too large for the front's memory.
func largeBody(n int64) string { return strings.Repeat(fmt.Sprintf("large %d\n", n), 40_000) }

func homeBody(n int64) string { return fmt.Sprintf("home %d\n", n) }

func newFrontWorld(t *testing.T) *frontWorld {
	t.Helper()
	w := &frontWorld{t: t, dir: t.TempDir()}
	current := http.FileServerFS(os.DirFS(filepath.Join(w.dir, "www/current")))
	for i := range w.answers {
		w.answers[i].Store(&current)
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*w.answers[i].Load()).ServeHTTP(rw, r) }))
		t.Cleanup(s.Close)
		w.origins = append(w.origins, s)
	}
	config := fmt.Sprintf("version: 1\nsite: {dir: public}\ntargets:\n  - {name: disk, type: dir, path: www, origin: {url: %q}}\norigins:\n  - {name: other, url: %q}\nfront: {quorum: 2}\n", w.origins[0].URL+"/", w.origins[1].URL+"/")
	writeFiles(t, w.dir, map[string]string{"mirror.yaml": config})
	t.Cleanup(func() {
		if w.cmd != nil {
			w.kill()
		}
	})
	return w
}

func (w *frontWorld) command(args ...string) *exec.Cmd {
	w.t.Helper()
	program, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(program, append(args, "-c", "mirror.yaml")...)
	cmd.Dir = w.dir
	return cmd
}

// publish begins to publish release n. end waits for its end, and not until visitors see it.
func (w *frontWorld) publish(n int64) (end func()) {
	w.t.Helper()
	writeFiles(w.t, w.dir, map[string]string{"public/index.html": homeBody(n), "public/large.bin": largeBody(n)})
	var out bytes.Buffer
	cmd := w.command("publish", "-q", "--no-verify")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	return func() {
		w.t.Helper()
		if err := cmd.Wait(); err != nil {
			w.t.Fatalf("%v\n%s", err, &out)
		}
	}
}

// start starts a front and waits until it listens.
func (w *frontWorld) start() {
	w.t.Helper()
	w.cmd = w.command("front", "--listen", "127.0.0.1:0", "--log-format", "json")
	said, err := w.cmd.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	listening := make(chan string, 1)
	w.ended = make(chan error, 1)
	go func() {
		var log bytes.Buffer
		for lines := bufio.NewScanner(io.TeeReader(said, &log)); lines.Scan(); {
			var line struct{ Msg, URL string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listening <- line.URL
			}
		}
		w.ended <- fmt.Errorf("%w\n%s", w.cmd.Wait(), &log)
	}()
	select {
	case at := <-listening:
		w.at.Store(&at)
	case err := <-w.ended:
		w.t.Fatal(err)
	case <-time.After(3 * time.Minute):
		w.t.Fatal("the front does not listen")
	}
	w.epoch.Add(w.epoch.Load() % 2)
}

// kill kills the front, and waits for its end.
func (w *frontWorld) kill() {
	w.epoch.Add(1)
	_ = w.cmd.Process.Kill() // it may have ended
	err := <-w.ended
	if w.t.Failed() {
		w.t.Log(err)
	}
	w.cmd = nil
}

// get asks the front once. It returns the release that the answer is of.
func (w *frontWorld) get(client *http.Client, path string) (release int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(*w.at.Load(), "/")+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set(front.DebugHeader, "1")
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("X-Mirror-Release") == "" { // an error, or a server of another test has the port of a front that was killed
		return 0, fmt.Errorf("%w: status %d", errNoRelease, resp.StatusCode)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	_, number, _ := strings.Cut(first, " ")
	release, err = strconv.ParseInt(number, 10, 64)
	want := homeBody(release)
	if path != "/" {
		want = largeBody(release)
	}
	if err != nil || resp.StatusCode != http.StatusOK || string(text) != want {
		return 0, fmt.Errorf("%s answers %d with %d wrong bytes: %.60q", path, resp.StatusCode, len(text), text)
	}
	return release, nil
}

// ask asks once as a visitor: an answer is whole and right, and not of an older release than an answer that
// anyone had before the request. Only a request that was sent to a process that was killed may have no answer.
func (w *frontWorld) ask(client *http.Client, path string) {
	floor, epoch := w.latest.Load(), w.epoch.Load()
	release, err := w.get(client, path)
	switch {
	case (errors.Is(err, errNoAnswer) || errors.Is(err, errNoRelease)) && (epoch%2 == 1 || w.epoch.Load() != epoch):
		return
	case err != nil:
		w.fail(err.Error())
		return
	case release < floor:
		w.fail(fmt.Sprintf("%s is of release %d, after release %d was served", path, release, floor))
	}
	w.served.Add(1)
	for old := w.latest.Load(); release > old && !w.latest.CompareAndSwap(old, release); old = w.latest.Load() {
	}
}

func (w *frontWorld) fail(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, what)
}

// visit has visitors ask until stop is called, which returns what went wrong.
func (w *frontWorld) visit(n int) (stop func() []string) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 1}}
			defer client.CloseIdleConnections()
			for turn := i; ctx.Err() == nil; turn++ {
				for ctx.Err() == nil && w.epoch.Load()%2 == 1 {
					time.Sleep(time.Millisecond) // the processor is for the front that starts
				}
				w.ask(client, []string{"/", "/large.bin"}[turn%2])
			}
		})
	}
	return func() []string {
		cancel()
		all.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.failed
	}
}

// TestKilledFront kills the real program again and again while visitors ask and releases go live: no answer has a wrong
// byte, and none is of an older release than one that was served before. A front that starts answers its first request
// from its cache, while one origin has gone back, all are silent, or all are gone.
func TestKilledFront(t *testing.T) {
	longtest.Skip(t, "kills a front eight times, and publishes five releases")
	t.Parallel()
	w := newFrontWorld(t)
	w.publish(1)()
	old := filepath.Join(w.dir, "old")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(w.dir, "www/current"))); err != nil {
		t.Fatal(err)
	}
	w.start()
	first := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	await(t, "the first release", func() bool { _, err := w.get(first, "/large.bin"); return err == nil })
	stop := w.visit(4)
	const releases = 5
	for n := int64(2); n <= releases; n++ {
		end := w.publish(n)
		if n%2 == 0 { // in the moment in which the first visitor has the new release
			await(t, "the next release", func() bool { return w.latest.Load() == n })
		}
		w.kill()
		w.start()
		w.ask(first, "/")
		end()
		await(t, "the next release", func() bool { return w.latest.Load() == n })
	}
	if failed := stop(); len(failed) > 0 || w.served.Load() == 0 {
		t.Fatalf("%d of %d answers are wrong: %s", len(failed), w.served.Load(), strings.Join(failed[:min(len(failed), 5)], "; "))
	}
	for _, path := range []string{"/", "/large.bin"} { // they are in the cache then
		w.ask(first, path)
	}
	w.restartWithOrigins(t, first, releases, old)
	t.Logf("%d right answers", w.served.Load())
}

// restartWithOrigins kills and starts the front with origins in each bad state.
func (w *frontWorld) restartWithOrigins(t *testing.T, visitor *http.Client, release int64, old string) {
	silent := make(chan struct{})
	defer close(silent)
	hang := http.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	stale := http.FileServerFS(os.DirFS(old))
	for _, c := range []struct {
		name  string
		spoil func()
	}{
		{"one origin has gone back", func() { w.answers[1].Store(&stale) }},
		{"all origins have gone back", func() { w.answers[0].Store(&stale) }},
		{"all origins are silent", func() { w.answers[0].Store(&hang); w.answers[1].Store(&hang) }},
		{"all origins are gone", func() {
			for _, o := range w.origins {
				_ = o.Listener.Close() // requests that hang stay
			}
		}},
	} {
		w.kill()
		c.spoil()
		began := time.Now()
		w.start()
		for _, path := range []string{"/", "/large.bin"} {
			if got, err := w.get(visitor, path); err != nil || got != release {
				t.Errorf("%s: the first answer of a new process at %s is of release %d, want %d: %v", c.name, path, got, release, err)
			}
			w.served.Add(1)
		}
		t.Logf("%s: right answers %s after the start of the process", c.name, time.Since(began).Round(time.Millisecond))
	}
}
