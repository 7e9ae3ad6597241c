package daemon

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// truth is what is wrong with the origins of a test, and when.
type truth struct {
	mu      sync.Mutex
	origins []string
	faults  []fault
	expires time.Time // of every certificate; zero for none
}

// fault is something wrong with one origin for a while.
type fault struct {
	origin     string
	kind       diff.Kind // Unreachable: nothing answers
	start, end time.Time // end is zero while it lasts
}

func (f fault) at(now time.Time) bool {
	return !now.Before(f.start) && (f.end.IsZero() || now.Before(f.end))
}

const pagesOfSite = 100

// verdict is what a check sees of the truth now.
func (w *truth) verdict() diff.Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	v := diff.Verdict{Release: "aa", Pages: pagesOfSite, Started: now}
	for _, name := range w.origins {
		o := diff.OriginVerdict{Name: name, URL: "https://" + name + ".test/", Pages: pagesOfSite, Match: pagesOfSite, Facts: diff.Facts{Expires: w.expires}}
		for _, f := range w.faults {
			switch {
			case f.origin != name || !f.at(now):
			case f.kind == diff.Unreachable:
				o.Err, o.Match = errors.New("connection refused"), 0
			default:
				o.Match--
				o.Differences = append(o.Differences, diff.Difference{Origin: name, Path: "index.html", Kind: f.kind, Detail: "as the test has it"})
			}
		}
		v.Origins = append(v.Origins, o)
	}
	return v
}

func (w *truth) set(faults ...fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = faults
}

// inbox is a recipient that remembers what it was told.
type inbox struct {
	mu     sync.Mutex
	news   []notify.News
	titles []string
}

// Send takes every message.
func (b *inbox) Send(_ context.Context, m notify.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news = append(b.news, m.News...)
	b.titles = append(b.titles, m.Title)
	return nil
}

// all returns what was told so far, as "opened drift git".
func (b *inbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var told []string
	for _, n := range b.news {
		told = append(told, string(n.Change)+" "+string(n.Event.Kind)+" "+n.Event.Origin)
	}
	return told
}

func (b *inbox) recipient() notify.Recipient { return notify.Recipient{Name: "inbox", Sender: b} }

// world is a daemon in a test.
type world struct {
	t       *testing.T
	truth   *truth
	inbox   *inbox
	history *history.Store
	daemon  *Daemon
	setup   Setup
	stop    func() error // stops the daemon and waits for it
}

// newWorld starts a daemon that checks once a minute, with a history in dir.
func newWorld(t *testing.T, dir string, change func(s *Setup)) *world {
	t.Helper()
	w := &world{t: t, truth: &truth{origins: []string{"git", "s3", "registry"}}, inbox: &inbox{}}
	h, err := history.Open(t.Context(), filepath.Join(dir, history.Name))
	if err != nil {
		t.Fatal(err)
	}
	w.history = h
	w.setup = Setup{
		Jobs: []Job{{Name: "look", Kind: Check, Schedule: every(t, "@every 1m")}}, Origins: w.truth.origins, Recipients: []notify.Recipient{w.inbox.recipient()},
		Work: Work{Check: func(context.Context, io.Writer) (diff.Verdict, error) { return w.truth.verdict(), nil }},
	}
	if change != nil {
		change(&w.setup)
	}
	if w.daemon, err = New(w.setup, Options{History: h, Settle: 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.daemon.Run(ctx) }()
	w.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-ended, h.Close())
	})
	return w
}

func every(t *testing.T, spec string) scheduler.Schedule {
	t.Helper()
	s, err := scheduler.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) end() {
	w.t.Helper()
	if err := w.stop(); err != nil {
		w.t.Error(err)
	}
}

func (w *world) episodes() []history.Episode {
	w.t.Helper()
	all, err := w.history.Episodes(w.t.Context(), history.EpisodeFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(all)
	return all
}

// tells wants exactly this to have been told.
func (w *world) tells(want ...string) {
	w.t.Helper()
	if got := w.inbox.all(); !slices.Equal(got, want) {
		w.t.Errorf("told %q, want %q", got, want)
	}
}
