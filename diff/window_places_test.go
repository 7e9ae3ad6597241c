package diff_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"mirror/diff"
)

// TestJoinedWindowHoldsTheTruth joins what random places saw of random origins. The window from the first switch at any
// place to the last one must lie within the bounds, which are no further apart than the widest ones of single places.
func TestJoinedWindowHoldsTheTruth(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(14, 4))
	began := time.Now()
	for range 10_000 {
		names := []string{"git", "s3", "registry"}[:1+random.IntN(3)]
		first, last := time.Duration(1<<62), time.Duration(0)
		var gap [2]time.Duration
		around := func(edge int, truth time.Duration) diff.Bounds {
			before, after := time.Duration(random.IntN(50)), time.Duration(random.IntN(50))
			gap[edge] = max(gap[edge], before+after)
			return diff.Bounds{After: began.Add(truth - before), Before: began.Add(truth + after)}
		}
		see := func() (origins []diff.OriginWindow) {
			for _, name := range names {
				if random.IntN(8) == 0 {
					origins = append(origins, diff.OriginWindow{Name: name, Unchanged: true, FirstNew: diff.Bounds{After: began, Before: began}, AllNew: diff.Bounds{After: began, Before: began}})
					continue
				}
				from := time.Duration(50 + random.IntN(1000))
				to := from + time.Duration(random.IntN(500))
				first, last = min(first, from), max(last, to)
				origins = append(origins, diff.OriginWindow{Name: name, Polls: 1, FirstNew: around(0, from), AllNew: around(1, to)})
			}
			return origins
		}
		own := diff.Window{Closed: true, Origins: see()}
		var places []diff.PlaceWindow
		for range random.IntN(5) {
			places = append(places, diff.PlaceWindow{Place: "p", Closed: true, Origins: see()})
		}
		places = append(places, diff.PlaceWindow{Place: "gone", Missing: "it was suspended", Origins: []diff.OriginWindow{{Name: "git", AllNew: diff.Bounds{After: began.Add(time.Hour)}, Open: []string{"a"}}}})
		w := own.JoinPlaces(began, "here", places)
		if last == 0 {
			continue // nothing switched anywhere
		}
		if truth := last - first; !w.Closed || w.Lower > truth || w.Upper < truth || w.Upper-w.Lower > gap[0]+gap[1] {
			t.Fatalf("the window lasted %d, got %d to %d, gaps of %d: %+v", truth, w.Lower, w.Upper, gap, w)
		}
	}
}

// TestOnePlaceKeepsTheWindowOpen has one place that still sees an old page.
func TestOnePlaceKeepsTheWindowOpen(t *testing.T) {
	t.Parallel()
	began := time.Now()
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	row := diff.OriginWindow{Name: "git", FirstNew: diff.Bounds{After: at(1), Before: at(2)}, AllNew: diff.Bounds{After: at(1), Before: at(2)}}
	old := row
	old.AllNew, old.Open = diff.Bounds{After: at(500)}, []string{"a.html"}
	w := diff.Window{Closed: true, Upper: time.Millisecond, Origins: []diff.OriginWindow{row}}.JoinPlaces(began, "here", []diff.PlaceWindow{{Place: "fra", Origins: []diff.OriginWindow{old}}})
	if w.Closed || w.Upper != 0 || w.Lower != 498*time.Millisecond || len(w.Origins[0].Open) != 1 || !w.Places[0].Closed || w.Places[1].Closed {
		t.Errorf("got %+v", w)
	}
}
