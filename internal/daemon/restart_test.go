package daemon

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/history"
	"mirror/internal/notify"
)

// textLog is a log that a test reads while a daemon writes it.
type textLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *textLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *textLog) await(t *testing.T, want string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for tick := time.NewTicker(5 * time.Millisecond); time.Now().Before(deadline); <-tick.C {
		l.mu.Lock()
		found := strings.Contains(l.text.String(), want)
		l.mu.Unlock()
		if found {
			return
		}
	}
	t.Fatalf("the log never says %q", want)
}

// watchWorld is a daemon with a job that watches the site's folder. It can be restarted.
type watchWorld struct {
	t       *testing.T
	state   string
	setup   Setup
	inbox   *inbox
	publish func(ctx context.Context) (history.Publish, error) // one publish; called by one goroutine at a time
}

func newWatchWorld(t *testing.T) *watchWorld {
	w := &watchWorld{t: t, state: t.TempDir(), inbox: &inbox{}}
	site := siteWorld{dir: filepath.Join(t.TempDir(), "public")}
	site.write(t, "index.html", "one")
	w.setup = Setup{
		Site: site.dir, Config: "as it is", Recipients: []notify.Recipient{w.inbox.recipient()},
		Jobs: []Job{{Name: "live", Kind: Publish, Schedule: every(t, "@yearly"), Watch: true}},
		Work: Work{Publish: func(ctx context.Context, _ io.Writer) (history.Publish, error) { return w.publish(ctx) }},
	}
	return w
}

// start starts a daemon. stop stops it.
func (w *watchWorld) start() (d *Daemon, log *textLog, stop func()) {
	w.t.Helper()
	h, err := history.Open(w.t.Context(), filepath.Join(w.state, history.Name))
	if err != nil {
		w.t.Fatal(err)
	}
	log = &textLog{}
	d, err = New(w.setup, Options{History: h, Settle: 10 * time.Millisecond, Grace: time.Minute, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			w.t.Log(err) // a slow machine sends no message in the time that is left at a stop
		}
	})
	return d, log, func() {
		cancel()
		running.Wait()
		if err := h.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

// outcomes lists the publishes on record, the newest first. No daemon runs.
func (w *watchWorld) outcomes() (all []string) {
	w.t.Helper()
	h, err := history.Open(w.t.Context(), filepath.Join(w.state, history.Name))
	if err != nil {
		w.t.Fatal(err)
	}
	defer h.Close()
	publishes, err := h.PublishesBefore(w.t.Context(), 0, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range publishes {
		all = append(all, p.Outcome)
	}
	return all
}

const asPublished = "is as it was published last"

// TestRestartPublishesNothingAnew has a daemon restarted with the folder that it published.
func TestRestartPublishesNothingAnew(t *testing.T) {
	for _, first := range []string{"live", "unchanged", "diverged"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			w := newWatchWorld(t)
			w.publish = func(context.Context) (history.Publish, error) {
				if first == "diverged" {
					return history.Publish{Outcome: first, Release: "aa"}, fmt.Errorf("git: %w", ErrDisagree)
				}
				return history.Publish{Outcome: first, Release: "aa"}, nil
			}
			_, log, stop := w.start()
			log.await(t, "outcome="+first)
			stop()
			w.publish = func(context.Context) (history.Publish, error) {
				t.Error("a folder that did not change is published again")
				return history.Publish{Outcome: "diverged", Release: "aa"}, ErrDisagree
			}
			_, log, stop = w.start()
			log.await(t, asPublished)
			stop()
			if got := w.outcomes(); !slices.Equal(got, []string{first}) {
				t.Errorf("on record are %q", got)
			}
			w.publish = func(context.Context) (history.Publish, error) {
				return history.Publish{Outcome: "live", Release: "bb"}, nil
			}
			(&siteWorld{dir: w.setup.Site}).write(t, "index.html", "two, while no daemon runs")
			_, log, stop = w.start()
			log.await(t, "release=bb")
			stop()
			w.setup.Config = "another config"
			w.publish = func(context.Context) (history.Publish, error) {
				return history.Publish{Outcome: "live", Release: "cc"}, nil
			}
			_, log, stop = w.start()
			log.await(t, "release=cc")
			stop()
		})
	}
}

// TestUnchangedPublishIsNoFailure has a daemon start, and be asked for a publish, while all targets hold
// the release and an origin shows something else or does not answer.
func TestUnchangedPublishIsNoFailure(t *testing.T) {
	w := newWatchWorld(t)
	w.publish = func(context.Context) (history.Publish, error) {
		return history.Publish{Outcome: "unchanged", Release: "aa"}, fmt.Errorf("pages: drift: %w", ErrDisagree)
	}
	_, log, stop := w.start()
	log.await(t, "nothing to publish")
	stop()
	if got := w.outcomes(); len(got) > 0 {
		t.Errorf("on record are %q", got)
	}
	if got := w.inbox.all(); len(got) > 0 {
		t.Errorf("told %q", got)
	}
	runs, err := history.Open(t.Context(), filepath.Join(w.state, history.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer runs.Close()
	all, err := runs.Runs(t.Context(), history.RunFilter{Job: "live"})
	if err != nil || !slices.ContainsFunc(all, func(r history.Run) bool { return r.Outcome == "done" && strings.Contains(r.Log, "pages: drift") }) {
		t.Errorf("runs are %+v, %v", all, err)
	}
}

// TestRestartWhileAPublishIsPending has a daemon stopped while a publish runs or waits for another one: no
// failure is recorded or notified, and the next start publishes.
func TestRestartWhileAPublishIsPending(t *testing.T) {
	for _, outcome := range []string{"failed", "rolled_back"} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			w := newWatchWorld(t)
			began := make(chan struct{})
			w.publish = func(ctx context.Context) (history.Publish, error) {
				close(began)
				<-ctx.Done()
				return history.Publish{Outcome: outcome}, ctx.Err()
			}
			_, _, stop := w.start()
			<-began
			stop()
			w.publish = func(context.Context) (history.Publish, error) {
				return history.Publish{Outcome: "live", Release: "aa"}, nil
			}
			_, log, stop := w.start()
			log.await(t, "release=aa")
			stop()
			if got := w.outcomes(); !slices.Equal(got, []string{"live", interrupted}) {
				t.Errorf("on record are %q", got)
			}
			if got := w.inbox.all(); len(got) > 0 {
				t.Errorf("told %q", got)
			}
		})
	}
}
