package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/longtest"
)

// TestKilledDaemonForgetsNothing kills the real daemon at random moments, most of them in the
// middle of a check. Whatever is wrong with the origin is one episode, not lost and not
// doubled, and the next slot runs. With MIRROR_EXPERIMENT=full it is killed 200 times.
func TestKilledDaemonForgetsNothing(t *testing.T) {
	longtest.Skip(t, "kills daemons many times")
	worlds, phases, kills := 2, 4, 4
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		worlds, phases, kills = 4, 10, 5
	}
	var cut atomic.Int64
	t.Run("at once", func(t *testing.T) {
		for i := range worlds {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				cut.Add(int64(newFragileWorld(t, uint64(i)).live(phases, kills)))
			})
		}
	})
	t.Logf("killed %d times, %d times in the middle of a check", worlds*phases*kills, cut.Load())
	if cut.Load() == 0 {
		t.Error("no check was ever cut off")
	}
}

// fragileWorld is a daemon on one origin that is right or wrong as it is told to be.
type fragileWorld struct {
	t      *testing.T
	dir    string
	rng    *rand.Rand
	wrong  atomic.Bool
	spans  []span        // when it was wrong, so that a check surely saw it
	within time.Duration // a daemon is killed: longer where that is too early for a check to begin
	binary string
}

type span struct{ from, seen, to, gone time.Time }

const fragileConfig = `version: 1
site: {dir: public}
targets: [{name: disk, type: dir, path: www, origin: {url: %q}}]
check: {rate: 30, concurrency: 2}
schedule: [{name: look, cron: "@every 1s", run: check}]
`

func newFragileWorld(t *testing.T, seed uint64) *fragileWorld {
	t.Helper()
	w := &fragileWorld{t: t, dir: t.TempDir(), rng: rand.New(rand.NewPCG(seed, seed)), within: 1500 * time.Millisecond}
	files := http.FileServer(http.Dir(filepath.Join(w.dir, "www", "current")))
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.wrong.Load() && r.URL.Path == "/p3.html" {
			_, _ = rw.Write([]byte("not what was published")) // the visitor may be dead
			return
		}
		files.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.put("mirror.yaml", fmt.Sprintf(fragileConfig, server.URL+"/"))
	for i := range 10 {
		w.put(fmt.Sprintf("public/p%d.html", i), fmt.Sprintf("<p>%d", i))
	}
	w.put("public/index.html", "home")
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	w.binary = path
	if out, err := w.command("publish", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return w
}

func (w *fragileWorld) put(name, text string) {
	file := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *fragileWorld) command(args ...string) *exec.Cmd {
	return exec.Command(w.binary, append([]string{"-c", filepath.Join(w.dir, "mirror.yaml")}, args...)...)
}

// live goes through phases in which the origin is wrong and right in turn. In each the daemon
// is killed some times, and then left alone until a check has seen how it is. It returns how
// often a check was cut off.
func (w *fragileWorld) live(phases, kills int) (cut int) {
	for phase := range phases {
		w.wrong.Store(phase%2 == 0)
		turned := time.Now()
		for range kills {
			if w.kill() {
				cut++
			}
		}
		w.see(phase%2 == 0, turned)
	}
	w.judge()
	return cut
}

// kill starts the daemon, kills it at a random moment, and reports whether a check was then
// running. The database can be opened each time.
func (w *fragileWorld) kill() (running bool) {
	cmd, after, began := w.command("daemon", "--no-dashboard", "-q"), time.Duration(w.rng.Int64N(int64(w.within))), time.Now()
	if err := cmd.Start(); err != nil {
		w.t.Error(err)
		return false
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() >= 0 {
		w.t.Errorf("the daemon ended by itself: %v", err)
	}
	w.remembered(func(ctx context.Context, h *history.Store) error {
		last, ok, err := h.LastRun(ctx, "look")
		running = ok && last.Outcome == ""
		if after > w.within*3/4 && (!ok || last.Started.Before(began)) {
			w.within = min(2*w.within, time.Minute)
		}
		return err
	})
	return running
}

// see lets the daemon run until a check that began later has seen how the origin is.
func (w *fragileWorld) see(wrong bool, turned time.Time) {
	cmd := w.command("daemon", "--no-dashboard", "-q")
	if err := cmd.Start(); err != nil {
		w.t.Error(err)
		return
	}
	alone := time.Now()
	await(w.t, "a check", func() (done bool) {
		w.remembered(func(ctx context.Context, h *history.Store) error {
			last, ok, err := h.LastCheck(ctx)
			done = ok && last.Started.After(alone)
			return err
		})
		return done
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		w.t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		w.t.Errorf("stopped: %v", err)
	}
	if wrong {
		w.spans = append(w.spans, span{from: turned, seen: time.Now()})
		return
	}
	last := &w.spans[len(w.spans)-1]
	last.to, last.gone = turned, time.Now()
}

// judge compares what is remembered with what was.
func (w *fragileWorld) judge() {
	w.remembered(func(ctx context.Context, h *history.Store) error {
		episodes, err := h.Episodes(ctx, history.EpisodeFilter{})
		if len(episodes) != len(w.spans) {
			w.t.Errorf("%d episodes for %d times at which the origin was wrong", len(episodes), len(w.spans))
			return err
		}
		for i, s := range w.spans {
			e := episodes[len(episodes)-1-i]
			if e.Kind != diff.Altered || e.Opened.Before(s.from) || e.Opened.After(s.seen) || e.Closed.Before(s.to) || e.Closed.After(s.gone) {
				w.t.Errorf("wrong from %s to %s: %+v", s.from, s.to, e)
			}
		}
		runs, runsErr := h.Runs(ctx, history.RunFilter{Job: "look"})
		for _, r := range runs {
			if r.Outcome == "" {
				w.t.Errorf("a run never ended: %+v", r)
			}
		}
		if runsErr == nil && runs[0].Outcome != "done" && runs[0].Outcome != "interrupted" {
			w.t.Errorf("the last run is %+v", runs[0])
		}
		return runsErr
	})
}

// remembered opens the history for do.
func (w *fragileWorld) remembered(do func(ctx context.Context, h *history.Store) error) {
	h, err := history.Open(w.t.Context(), filepath.Join(w.dir, ".mirror", history.Name))
	if err != nil {
		w.t.Errorf("the history cannot be opened: %v", err)
		return
	}
	if err := do(w.t.Context(), h); err != nil {
		w.t.Error(err)
	}
	if err := h.Close(); err != nil {
		w.t.Error(err)
	}
}
