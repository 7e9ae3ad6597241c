package watch_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/lab"
	"mirror/internal/lab/edge"
	"mirror/internal/leaktest"
	"mirror/internal/longtest"
	"mirror/internal/origin"
	"mirror/internal/watch"
	"mirror/site"
)

// pages is how many pages change in these tests.
const pages = 6

func edition(n int) map[string][]byte {
	files := map[string][]byte{}
	for i := range pages {
		files[fmt.Sprintf("p%d.html", i)] = fmt.Appendf(nil, "<p>page %d, edition %d", i, n)
	}
	return files
}

func changes() []diff.Change {
	var all []diff.Change
	old, next := edition(1), edition(2)
	for i := range pages {
		path := fmt.Sprintf("p%d.html", i)
		all = append(all, diff.Change{Path: path, Old: sha256.Sum256(old[path]), New: sha256.Sum256(next[path])})
	}
	return all
}

// pair is two origins of a lab: a good one, git, and one that may be bad, s3.
type pair struct {
	t       *testing.T
	lab     *lab.Lab
	origins []origin.Endpoint
}

func newPair(t *testing.T) *pair {
	t.Helper()
	l, err := lab.Start(t.Context(), lab.Options{ContentType: site.ContentType})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &pair{t: t, lab: l}
	for _, o := range []*edge.Origin{l.Git.Origin, l.S3.Origin} {
		u, err := url.Parse(o.URL)
		if err != nil {
			t.Fatal(err)
		}
		p.origins = append(p.origins, origin.Endpoint{
			Name: o.Name, URL: u, Options: origin.Options{Concurrency: 4, Timeout: time.Minute},
		})
	}
	p.show(1)
	return p
}

// show has both origins turn to an edition.
func (p *pair) show(n int) {
	p.t.Helper()
	if err := p.lab.Git.Edit(p.t.Context(), edition(n)); err != nil {
		p.t.Fatal(err)
	}
	if err := p.lab.S3.Edit(p.t.Context(), edition(n)); err != nil {
		p.t.Fatal(err)
	}
}

// impatient has the watch give up what the bad origin does not answer. On a machine that
// stands still it gives up more, and asks again.
func (p *pair) impatient() { p.origins[1].Timeout = 300 * time.Millisecond }

// watch watches both origins turn until git is settled and then enough is seen of the other
// one. It returns who is late, and wants all goroutines of the watch to end with it.
func (p *pair) watch(turn func(), enough func(now diff.Window) bool) (late []string, w diff.Window) {
	p.t.Helper()
	var watched *watch.Watch
	ended := leaktest.Run(p.t, func() {
		watched = watch.Start(p.t.Context(), p.origins, watch.Options{Began: time.Now(), Changes: changes()})
	})
	turn()
	ctx, cancel := context.WithTimeout(p.t.Context(), settling)
	defer cancel()
	if late := watched.Settle(ctx, []string{"git"}); len(late) > 0 {
		p.t.Errorf("the good origin is late after %s", settling)
	}
	p.await("enough answers", func() bool { return enough(watched.Window()) })
	cancel()
	late = watched.Settle(ctx, []string{"git", "s3"})
	watched.Stop()
	ended()
	return late, watched.Window()
}

// after returns when the bad origin was asked some times more.
func after(polls int) func(now diff.Window) bool {
	first := -1
	return func(now diff.Window) bool {
		if first < 0 {
			first = now.Origins[1].Polls
		}
		return now.Origins[1].Polls >= first+polls
	}
}

// await looks until done.
func (p *pair) await(what string, done func() bool) {
	p.t.Helper()
	deadline := time.NewTimer(settling)
	defer deadline.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			stacks := make([]byte, 1<<20)
			p.t.Fatalf("waited %s for %s:\n%s", settling, what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// open wants the bad origin, and it alone, to keep the window open.
func (p *pair) open(late []string, w diff.Window) {
	p.t.Helper()
	if !slices.Equal(late, []string{"s3"}) || w.Closed || w.Upper != 0 || w.Atomic != nil {
		p.t.Errorf("late %v, window %+v; want s3 to keep it open", late, w)
	}
	if good, bad := w.Origins[0], w.Origins[1]; len(good.Open) != 0 || good.AllNew.Before.IsZero() || len(bad.Open) == 0 || !bad.AllNew.Before.IsZero() {
		p.t.Errorf("got %+v and %+v; want only the second open", good, bad)
	}
}

// answers answers everything by h.
func answers(h http.HandlerFunc) edge.Fault { return func(http.Handler) http.Handler { return h } }

// hostile are origins that never show the release.
func hostile() map[string]edge.Fault {
	return map[string]edge.Fault{
		"hangs": edge.Hang, "stalls in its body": edge.Stall, "resets": edge.Reset, "answers no HTTP": edge.Garbage,
		"answers noise": edge.Noise, "answers 304": edge.NotModified, "answers 200 and nothing": edge.Empty,
		"drips": edge.Drip(100 * time.Millisecond),
		"is parked": answers(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://parked.example/", http.StatusMovedPermanently)
		}),
		"finds nothing": answers(http.NotFound),
		"is overloaded": answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}),
		"fails with the right bytes": answers(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			w.Write(edition(2)[r.URL.Path[1:]])
		}),
		"is cut short of the right bytes": answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write(edition(2)[r.URL.Path[1:]])
			panic(http.ErrAbortHandler)
		}),
	}
}

func TestWatchOfHostileOrigins(t *testing.T) {
	longtest.Skip(t, "waits for origins that never switch")
	t.Parallel()
	for name, fault := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			p.impatient()
			p.lab.S3.SetFault(fault)
			p.open(p.watch(func() { p.show(2) }, after(2*pages)))
		})
	}
	t.Run("is down", func(t *testing.T) {
		t.Parallel()
		p := newPair(t)
		p.lab.S3.Down(true)
		p.open(p.watch(func() { p.show(2) }, after(2*pages)))
	})
	t.Run("never turns", func(t *testing.T) {
		t.Parallel()
		p := newPair(t)
		p.open(p.watch(func() {
			if err := p.lab.Git.Edit(t.Context(), edition(2)); err != nil {
				t.Error(err)
			}
		}, after(2*pages)))
	})
	t.Run("turns hostile when it has turned", func(t *testing.T) {
		t.Parallel()
		p := newPair(t)
		p.impatient()
		p.lab.S3.Override("/p3.html", edge.Hang(nil))
		p.open(p.watch(func() { p.show(2) }, func(now diff.Window) bool { return slices.Equal(now.Origins[1].Open, []string{"p3.html"}) }))
	})
}

// TestWatchOfFlappingOrigin has one of two caches stuck: half of the visitors get the old
// pages, for ever. Such a window is never closed, though every page is often new twice in
// a row.
func TestWatchOfFlappingOrigin(t *testing.T) {
	longtest.Skip(t, "watches an origin that flaps")
	for _, sticky := range []bool{false, true} {
		for _, declared := range []bool{false, true} {
			t.Run(fmt.Sprintf("sticky %v, declared %v", sticky, declared), func(t *testing.T) {
				t.Parallel()
				p := newPair(t)
				p.origins[1].CDN = declared
				p.lab.S3.SetEdges(edge.Edges{Stale: []time.Duration{0, edge.Never}, Sticky: sticky})
				turn := func() {
					if err := p.lab.Git.Edit(t.Context(), edition(2)); err != nil {
						t.Error(err)
					}
					if err := p.lab.S3.Change(t.Context(), edition(2)); err != nil {
						t.Error(err)
					}
				}
				many := after(40 * pages)
				p.open(p.watch(turn, func(now diff.Window) bool {
					return many(now) && now.Origins[1].Reversals > 0 && now.Origins[1].Flaps
				}))
			})
		}
	}
}

// TestWatchOfWeakOrigins has origins that do show the release, badly: the window closes,
// and what it says is true.
func TestWatchOfWeakOrigins(t *testing.T) {
	day := 24 * time.Hour
	for name, fault := range map[string]edge.Fault{
		"its clock is a day ahead": edge.WrongDate(day), "its clock is a day behind": edge.WrongDate(-day),
		"resets half": edge.Sometimes(0.5, edge.Reset), "hangs at times": edge.Sometimes(0.1, edge.Hang),
		"answers half with garbage": edge.Sometimes(0.5, edge.Garbage), "answers half with 304": edge.Sometimes(0.5, edge.NotModified),
		"is empty at times": edge.Sometimes(0.2, edge.Empty), "is noise at times": edge.Sometimes(0.2, edge.Noise),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			p.impatient()
			p.lab.S3.SetFault(fault)
			began := time.Now()
			late, w := p.watch(func() { p.show(2) }, func(now diff.Window) bool { return now.Closed })
			if len(late) > 0 || !w.Closed {
				t.Fatalf("late %v, window %+v", late, w)
			}
			for i, o := range []*edge.Origin{p.lab.Git.Origin, p.lab.S3.Origin} {
				truth := o.Turned().Since(began)
				for what, at := range map[string][2]any{"first": {w.Origins[i].FirstNew, truth.First()}, "all": {w.Origins[i].AllNew, truth.Last()}} {
					b, at := at[0].(diff.Bounds), at[1].(edge.Instant)
					open := what == "first" && b.Before.IsZero() // where no old answer came before the turn
					if at.After.Before(b.After) || !open && at.Before.After(b.Before) {
						t.Errorf("%s %s new: %+v is not within %+v", o.Name, what, at, b)
					}
				}
			}
		})
	}
}
