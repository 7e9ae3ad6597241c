package daemon

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/internal/notify"
)

// TestADay runs a daemon for a day of compressed time, at a check a minute on three origins
// that fail at random. Every fault is an episode with the right start and end, and is told
// once when it begins and once when it ends; nothing grows.
func TestADay(t *testing.T) {
	longtest.Skip(t, "simulates a day of jobs")
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, nil)
		start := time.Now()
		w.truth.set(randomFaults(rand.New(rand.NewPCG(5, 5)), w.truth.origins, start.Add(time.Minute), start.Add(23*time.Hour))...)
		time.Sleep(2*time.Hour + 30*time.Second)
		early := measure()
		time.Sleep(time.Until(start.Add(24*time.Hour + 30*time.Second)))
		late := measure()
		t.Logf("%d faults; at 2 h %+v, at 24 h %+v", len(w.truth.faults), early, late)
		if late.goroutines > early.goroutines || late.heap > early.heap+2<<20 {
			t.Errorf("it grows: at 2 h %+v, at 24 h %+v", early, late)
		}
		w.hasEpisodes(time.Minute)
		w.toldOnce()
		w.end()
	})
}

type measured struct {
	goroutines int
	heap       uint64
}

func measure() measured {
	synctest.Wait()
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return measured{runtime.NumGoroutine(), m.HeapAlloc}
}

// randomFaults has each origin fail now and then, one way at a time. Between two faults it
// is well for long enough not to be flapping.
func randomFaults(rng *rand.Rand, origins []string, from, to time.Time) []fault {
	kinds := []diff.Kind{diff.Stale, diff.Missing, diff.Altered, diff.Redirected, diff.Unreachable}
	within := func(low, high time.Duration) time.Duration { return low + time.Duration(rng.Int64N(int64(high-low))) }
	var all []fault
	for _, origin := range origins {
		for at := from.Add(within(0, time.Hour)); ; {
			f := fault{origin: origin, kind: kinds[rng.IntN(len(kinds))], start: at, end: at.Add(within(3*time.Minute, time.Hour))}
			if f.end.After(to) {
				break
			}
			all = append(all, f)
			at = f.end.Add(within(15*time.Minute, 90*time.Minute))
		}
	}
	return all
}

// hasEpisodes wants an episode for every fault and no other one, its bounds right and no
// later than a period.
func (w *world) hasEpisodes(period time.Duration) {
	w.t.Helper()
	episodes := w.episodes()
	if len(episodes) != len(w.truth.faults) {
		w.t.Errorf("%d episodes for %d faults", len(episodes), len(w.truth.faults))
	}
	for _, f := range w.truth.faults {
		found := 0
		for _, e := range episodes {
			if e.Origin != f.origin || e.Kind != f.kind || e.Opened.Before(f.start) || e.Opened.After(f.start.Add(period)) {
				continue
			}
			found++
			if e.Closed.Before(f.end) || e.Closed.After(f.end.Add(period)) || e.LastGood.After(f.start) || e.LastSeen.After(f.end) {
				w.t.Errorf("%s %s from %s to %s: the episode is %+v", f.origin, f.kind, f.start, f.end, e)
			}
		}
		if found != 1 {
			w.t.Errorf("%s %s from %s to %s has %d episodes", f.origin, f.kind, f.start, f.end, found)
		}
	}
}

// toldOnce wants exactly one opening and one end to have been told of every episode.
func (w *world) toldOnce() {
	w.t.Helper()
	opened, closed := map[string]int{}, map[string]int{}
	for _, n := range w.inbox.news {
		switch n.Change {
		case notify.Opened:
			opened[n.Event.Episode]++
		case notify.Closed:
			closed[n.Event.Episode]++
		default:
			w.t.Errorf("%s is told of %s", n.Change, n.Event.Episode)
		}
	}
	for _, e := range w.episodes() {
		if name := episodeName(e.ID); opened[name] != 1 || closed[name] != 1 {
			w.t.Errorf("%s: told %d times that it opened and %d times that it closed", name, opened[name], closed[name])
		}
	}
	if want := len(w.episodes()); len(opened) != want || len(closed) != want {
		w.t.Errorf("told of %d openings and %d ends of %d episodes", len(opened), len(closed), want)
	}
}
