package diff_test

import (
	"testing"
	"time"

	"mirror/diff"
)

// TestFrontGap bounds the time between the moves of two fronts by what their answers show, whatever the other origins do.
func TestFrontGap(t *testing.T) {
	s := newStory(1, "git east west", "a", "b")
	for _, name := range []string{"east", "west"} {
		s.Front(name)
	}
	gap := func() diff.FrontGap {
		g, _ := s.Window().FrontGap()
		return g
	}
	for _, name := range []string{"git", "east", "west"} {
		s.tell(name, "a", 1, 2, oldBytes)
		s.tell(name, "b", 1, 2, oldBytes)
	}
	s.tell("git", "a", 10, 14, newBytes)
	s.tell("east", "a", 100, 110, oldBytes)
	s.tell("west", "b", 100, 110, oldBytes)
	if g := gap(); !g.Open || g.Lower != 0 || len(g.Fronts) != 2 {
		t.Errorf("before any move: %+v", g)
	}
	s.tell("east", "b", 130, 140, newBytes)
	s.tell("west", "a", 200, 210, oldBytes)
	if g := gap(); !g.Open || g.Lower != 60*time.Millisecond {
		t.Errorf("after the first move: %+v", g)
	}
	s.tell("west", "a", 220, 230, newBytes)
	// Both moved at one instant each: east between 100 and 140, west between 200 and 230. The pages that were not asked
	// for since then do not widen that.
	if g := gap(); g.Open || g.Lower != 60*time.Millisecond || g.Upper != 130*time.Millisecond {
		t.Errorf("after both: %+v", g)
	}
}

// TestFrontGapOfOneFront is no gap, and that of fronts at which nothing changed neither.
func TestFrontGapOfOneFront(t *testing.T) {
	at := time.Now()
	b := diff.Bounds{After: at, Before: at.Add(time.Second)}
	w := diff.Window{Origins: []diff.OriginWindow{{Name: "east", Front: true, AllNew: b}, {Name: "west", Front: true, AllNew: b, Unchanged: true}, {Name: "git", AllNew: b}}}
	if g, ok := w.FrontGap(); ok {
		t.Errorf("got %+v", g)
	}
}
