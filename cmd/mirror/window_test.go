package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/lab/edge"
	"mirror/internal/longtest"
	"mirror/internal/publish"
)

// soundPages are how many pages each publish of the soundness experiment changes, beside
// one that is added and one that is removed.
const soundPages = 10

func soundSite(edition int) map[string]string {
	files := map[string]string{
		"404.html": "<h1>not here</h1>", "same.html": "<p>same",
		fmt.Sprintf("posts/added-%d.html", edition): fmt.Sprintf("<p>added by %d", edition),
	}
	for i := range soundPages {
		files[fmt.Sprintf("posts/%02d.html", i)] = fmt.Sprintf("<p>%d of edition %d", i, edition)
	}
	return files
}

// TestWindowHoldsTheTruth publishes 200 times, 40 under the race detector, to a
// lab that knows when each of its pages turned, with lags that vary, files that trickle and caches that turn
// at different times. What the publish says of its window is true every time.
//
// Where caches differ the upper bound speaks of the caches that were met. Here all are,
// not by luck: the two caches are at most 20 ms apart, and the confirming answers of a
// publish, two for each of its 12 pages, take longer than that at 500 requests a second.
func TestWindowHoldsTheTruth(t *testing.T) {
	longtest.Skip(t, "publishes many times")
	publishes := 100
	if raceDetector {
		publishes = 20
	}
	for seed, cdn := range [][]string{nil, {"git", "s3", "registry"}} {
		t.Run(fmt.Sprintf("cdn %v", cdn), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(uint64(seed), 0))
			r := newTrial(t, cdn...)
			r.write(soundSite(0))
			r.publish(publish.Auto)
			var score tally
			for i := range publishes {
				atomic := r.vary(rng, cdn != nil)
				r.write(soundSite(i + 1))
				mode := publish.Auto
				if rng.IntN(2) == 0 {
					mode = publish.Parallel
				}
				began := time.Now()
				report := r.publish(mode)
				if err := r.lab.Settle(t.Context()); err != nil {
					t.Fatal(err)
				}
				score.judge(t, r.truth(i+1, began), report.Window, atomic)
			}
			t.Logf("%d publishes: %s", publishes, &score)
		})
	}
}

// vary sets the origins' lags and caches at random. It reports whether every deployment
// shows all its pages at once.
func (r *trial) vary(rng *rand.Rand, cdn bool) (atomic bool) {
	ms := func(n int) time.Duration {
		return time.Duration(rng.Float64() * float64(n) * float64(time.Millisecond))
	}
	atomic = true
	for _, o := range r.lab.Origins() {
		o.SetLag(ms(30), ms(10))
		o.SetTrickle(0, nil)
		if rng.IntN(3) == 0 {
			o.SetTrickle(ms(3), nil)
			atomic = false
		}
		if cdn {
			o.SetEdges(edge.Edges{Stale: []time.Duration{0, ms(20)}, Sticky: rng.IntN(2) == 0})
			atomic = false
		}
	}
	return atomic
}

// truth is how each origin turned to an edition.
func (r *trial) truth(edition int, began time.Time) map[string]edge.Turns {
	paths := []string{fmt.Sprintf("posts/added-%d.html", edition-1), fmt.Sprintf("posts/added-%d.html", edition)}
	for i := range soundPages {
		paths = append(paths, fmt.Sprintf("posts/%02d.html", i))
	}
	all := map[string]edge.Turns{}
	for _, o := range r.lab.Origins() {
		for _, turn := range o.Turned(paths...).Since(began) {
			if turn.New == sha256.Sum256([]byte(r.files[turn.Path])) || r.files[turn.Path] == "" && turn.New == [32]byte{} {
				all[o.Name] = append(all[o.Name], turn)
			}
		}
	}
	return all
}

// tally is how well the windows of many publishes did.
type tally struct {
	widths  []time.Duration // upper - lower
	lengths []time.Duration // of the true windows
	blur    []time.Duration // how well the truth itself is known
}

// judge holds a window to the truth.
func (s *tally) judge(t *testing.T, truth map[string]edge.Turns, w *diff.Window, atomic bool) {
	t.Helper()
	if w == nil || !w.Closed || w.Pages != soundPages+2 || len(w.Origins) != len(truth) {
		t.Fatalf("got %+v, want a closed window of %d pages at %d origins", w, soundPages+2, len(truth))
	}
	var first, last edge.Instant
	for i, o := range w.Origins {
		turns := truth[o.Name]
		from, to := turns.First(), turns.Last()
		within(t, o.Name+" first new", o.FirstNew, from)
		within(t, o.Name+" all new", o.AllNew, to)
		s.blur = append(s.blur, from.After.Sub(from.Before), to.After.Sub(to.Before))
		if i == 0 {
			first, last = from, to
			continue
		}
		first = edge.Turns{{At: first}, {At: from}}.First()
		last = edge.Turns{{At: last}, {At: to}}.Last()
	}
	least, most := last.Before.Sub(first.After), last.After.Sub(first.Before)
	if most < w.Lower || least > w.Upper {
		t.Errorf("the window lasted [%s, %s], reported as [%s, %s]", least, most, w.Lower, w.Upper)
	}
	if a := w.Atomic; atomic && (a == nil || most < a.Lower || least > a.Upper) {
		t.Errorf("the window lasted [%s, %s], reported as %+v if atomic", least, most, a)
	}
	s.widths = append(s.widths, w.Upper-w.Lower)
	s.lengths = append(s.lengths, least)
}

func within(t *testing.T, what string, b diff.Bounds, at edge.Instant) {
	t.Helper()
	if at.After.Before(b.After) {
		t.Errorf("%s: %s before its bounds", what, b.After.Sub(at.After))
	}
	if b.Before.IsZero() || at.Before.After(b.Before) {
		t.Errorf("%s: %s after its bounds", what, at.Before.Sub(b.Before))
	}
}

// String returns medians.
func (s *tally) String() string {
	return fmt.Sprintf("the windows lasted %s, were bounded to %s, and are known to %s (medians; at most %s, %s, %s)",
		median(s.lengths), median(s.widths), median(s.blur), slices.Max(s.lengths), slices.Max(s.widths), slices.Max(s.blur))
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}
