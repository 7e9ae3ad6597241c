package diff_test

import (
	"fmt"
	"math"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
)

// story tells a watch what was answered, in milliseconds after it began.
type story struct {
	*diff.Watch
	began time.Time
}

func newStory(confirm int, origins string, paths ...string) story {
	s := story{began: time.Now()}
	var changes []diff.Change
	for _, path := range paths {
		changes = append(changes, diff.Change{Path: path, Old: oldBytes, New: newBytes})
	}
	s.Watch = diff.NewWatch(s.began, changes, strings.Fields(origins), confirm)
	return s
}

func (s story) tell(origin, path string, asked, answered int, d site.Digest) diff.Side {
	o := served(200, d)
	if d.IsZero() {
		o = served(http.StatusServiceUnavailable, d)
	}
	o.Path, o.Asked, o.Answered = path, s.at(asked), s.at(answered)
	return s.Add(origin, o)
}

func (s story) at(ms int) time.Time { return s.began.Add(time.Duration(ms) * time.Millisecond) }

// bounds writes diff.Bounds as "after-before" in milliseconds, "?" for what is open.
func (s story) bounds(b diff.Bounds) string {
	if b.Before.IsZero() {
		return fmt.Sprintf("%d-?", b.After.Sub(s.began).Milliseconds())
	}
	return fmt.Sprintf("%d-%d", b.After.Sub(s.began).Milliseconds(), b.Before.Sub(s.began).Milliseconds())
}

// summary writes a window in one line: its bounds, and each origin's first and all new.
func (s story) summary() string {
	w := s.Window()
	text := fmt.Sprintf("closed=%t [%d,%d]", w.Closed, w.Lower.Milliseconds(), w.Upper.Milliseconds())
	for _, o := range w.Origins {
		text += fmt.Sprintf(" %s %s %s r%d n%d %v", o.Name, s.bounds(o.FirstNew), s.bounds(o.AllNew), o.Reversals, o.Polls, o.Open)
	}
	return text
}

func (s story) expect(t *testing.T, want string) {
	t.Helper()
	if got := s.summary(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The example of docs/window.md.
func TestWindowExample(t *testing.T) {
	s := newStory(1, "git s3", "a", "b")
	s.expect(t, "closed=false [0,0] git 0-? 0-? r0 n0 [a b] s3 0-? 0-? r0 n0 [a b]")
	s.tell("s3", "a", 10, 14, oldBytes)
	s.tell("s3", "b", 20, 24, oldBytes)
	s.tell("s3", "a", 30, 34, newBytes)
	s.expect(t, "closed=false [0,0] git 0-? 0-? r0 n0 [a b] s3 10-34 20-? r0 n3 [b]")
	s.tell("s3", "b", 40, 44, newBytes)
	s.tell("git", "a", 50, 58, oldBytes)
	s.tell("git", "b", 60, 68, oldBytes)
	s.expect(t, "closed=false [26,0] git 50-? 60-? r0 n2 [a b] s3 10-34 20-44 r0 n4 []")
	s.tell("git", "a", 70, 78, newBytes)
	s.tell("git", "b", 80, 88, newBytes)
	s.expect(t, "closed=true [26,78] git 50-78 60-88 r0 n4 [] s3 10-34 20-44 r0 n4 []")
}

func TestWindowConfirmation(t *testing.T) {
	s := newStory(2, "o", "a")
	s.tell("o", "a", 10, 11, oldBytes)
	s.tell("o", "a", 20, 21, newBytes)
	s.expect(t, "closed=false [0,0] o 10-21 10-21 r0 n2 [a]")
	s.tell("o", "a", 30, 31, site.Digest{}) // could not answer: says nothing
	s.tell("o", "a", 40, 41, newBytes)
	s.expect(t, "closed=true [0,11] o 10-21 10-21 r0 n4 []")
	s.tell("o", "a", 35, 45, otherBytes) // it was something else in between
	s.expect(t, "closed=false [0,0] o 10-21 10-21 r0 n5 [a]")
	s.tell("o", "a", 44, 50, newBytes) // asked too early to deny that
	s.tell("o", "a", 45, 51, newBytes)
	if p := s.Page("o", "a"); p.Confirmed != 1 || !p.New {
		t.Errorf("got %+v, want one confirmation", p)
	}
	s.tell("o", "a", 50, 52, newBytes)
	s.expect(t, "closed=true [0,11] o 10-21 10-21 r0 n8 []")
}

// After old bytes that follow new ones, the first time is not known any more, and the
// last one is that of the confirming answer.
func TestWindowReversal(t *testing.T) {
	s := newStory(2, "o", "a")
	for _, d := range []site.Digest{oldBytes, newBytes, oldBytes, oldBytes, newBytes, oldBytes, newBytes} {
		at := 10 * (1 + s.Window().Origins[0].Polls)
		s.tell("o", "a", at, at+1, d)
	}
	s.expect(t, "closed=false [39,0] o 0-21 60-? r2 n7 [a]")
	s.tell("o", "a", 80, 81, newBytes)
	s.expect(t, "closed=true [39,81] o 0-21 60-81 r2 n8 []")
	for i := range 5 { // what comes later bounds no better
		s.tell("o", "a", 90+i, 91+i, newBytes)
	}
	s.expect(t, "closed=true [39,81] o 0-21 60-81 r2 n13 []")
	s.tell("o", "a", 85, 92, otherBytes) // the latest stand in where a denial is told late
	s.expect(t, "closed=true [39,95] o 0-21 60-95 r2 n14 []")
	late := newStory(1, "o", "a")
	late.tell("o", "a", 30, 31, oldBytes)
	late.tell("o", "a", 20, 29, newBytes)
	late.tell("o", "a", 40, 41, newBytes)
	late.expect(t, "closed=true [0,41] o 0-41 30-41 r1 n3 []")
}

func TestWindowDeclaredFlapping(t *testing.T) {
	s := newStory(2, "o", "a")
	s.MayFlap("o")
	s.tell("o", "a", 10, 11, oldBytes)
	s.tell("o", "a", 20, 21, newBytes)
	s.expect(t, "closed=false [0,0] o 0-21 10-? r0 n2 [a]")
	s.tell("o", "a", 30, 31, newBytes)
	s.expect(t, "closed=true [0,31] o 0-21 10-31 r0 n3 []")
	if !s.Window().Origins[0].Flaps {
		t.Error("not said to flap")
	}
}

func TestWindowSuperseded(t *testing.T) {
	s := newStory(1, "o p", "a", "b")
	s.Precede("a", otherBytes)
	s.Precede("a", newBytes) // an earlier release had the new bytes: they stay new
	if got := s.tell("o", "a", 10, 11, otherBytes); got != diff.Old {
		t.Errorf("bytes of an earlier release count as %v, want old", got)
	}
	if got := s.tell("o", "a", 20, 21, newerBytes); got != diff.Neither {
		t.Errorf("bytes of no known release count as %v, want neither", got)
	}
	s.Supersede("a", newerBytes)
	s.Supersede("b", newBytes)
	s.Supersede("no such page", newBytes)
	for _, at := range []string{"o", "p"} {
		s.tell(at, "a", 30, 31, newerBytes)
		s.tell(at, "b", 40, 41, newBytes)
	}
	s.expect(t, "closed=true [0,41] o 0-31 10-41 r0 n4 [] p 0-? 0-41 r0 n2 []")
}

// A page that a newer release put back as it was tells nothing, and leaves the window.
func TestWindowPutBack(t *testing.T) {
	s := newStory(1, "o p", "a", "b")
	for i, at := range []string{"o", "p"} {
		s.tell(at, "a", 10+i, 11+i, oldBytes)
		s.tell(at, "a", 30+i, 31+i, newBytes)
	}
	s.tell("o", "b", 20, 21, newBytes)
	s.tell("p", "b", 50, 51, oldBytes)
	s.expect(t, "closed=false [19,0] o 0-31 10-31 r0 n3 [] p 11-32 50-? r0 n3 [b]")
	s.Supersede("b", oldBytes)
	s.Supersede("b", oldBytes)
	if got := s.tell("p", "b", 60, 61, oldBytes); got != diff.Neither {
		t.Errorf("its bytes count as %v, want neither", got)
	}
	s.expect(t, "closed=true [0,22] o 10-31 10-31 r0 n3 [] p 11-32 11-32 r0 n4 []")
	if got := s.Window().Pages; got != 1 {
		t.Errorf("%d pages, want 1", got)
	}
}

// A page that was new before the watch began is not known to turn, until it is met as old.
func TestWindowAskedBefore(t *testing.T) {
	s := newStory(1, "o", "a")
	if got := s.tell("o", "a", -30, -20, newBytes); got != diff.New {
		t.Errorf("got %v, want new", got)
	}
	s.expect(t, "closed=false [0,0] o 0-0 0-? r0 n1 [a]")
	s.tell("o", "a", -10, 10, oldBytes)
	if got := s.Window().Fresh; len(got) != 1 || got[0].T != 0 {
		t.Errorf("got %v, want a read at the beginning", got)
	}
	s.tell("o", "a", 20, 25, newBytes)
	s.expect(t, "closed=true [0,25] o 0-25 0-25 r0 n3 []")
}

func TestWindowAtomic(t *testing.T) {
	s := newStory(1, "o p", "a", "b")
	s.Atomic("o")
	for i, at := range []string{"o", "p"} {
		s.tell(at, "a", 10+100*i, 11+100*i, oldBytes)
		s.tell(at, "b", 20+100*i, 21+100*i, oldBytes)
		s.tell(at, "a", 30+100*i, 31+100*i, newBytes)
		if s.Window().Atomic != nil {
			t.Error("an open window has tighter bounds")
		}
		s.tell(at, "b", 40+100*i, 41+100*i, newBytes)
	}
	w := s.Window()
	if got := s.bounds(*w.Origins[0].Switch); got != "20-31" || w.Origins[1].Switch != nil {
		t.Errorf("switch %s, want 20-31 and none", got)
	}
	if got := fmt.Sprint(w.Lower, w.Upper, *w.Atomic); got != "89ms 131ms {89ms 121ms}" {
		t.Errorf("got %s", got)
	}
	s.tell("o", "a", 35, 36, oldBytes) // the origin does not keep what was declared of it
	s.tell("o", "a", 200, 201, newBytes)
	if w := s.Window(); !w.Closed || w.Atomic != nil || w.Origins[0].Switch != nil {
		t.Errorf("a declaration that was seen broken is used: %+v", w)
	}
}

// Each page at each origin counts the same, however often it was asked for.
func TestWindowFreshness(t *testing.T) {
	s := newStory(1, "o p", "a")
	if s.Window().Fresh != nil {
		t.Error("a curve without a read")
	}
	s.tell("o", "a", 0, 1, oldBytes)
	s.tell("o", "a", 5, 6, newBytes)
	for ms := range 12 {
		s.tell("p", "a", ms, ms+1, oldBytes)
	}
	for range 3 {
		s.tell("p", "a", 12, 13, newBytes)
	}
	s.tell("p", "a", 12, 13, oldBytes)
	s.tell("o", "a", 2, 3, oldBytes) // told late
	s.tell("p", "a", 40, 41, newBytes)
	want := []diff.Freshness{{T: 0}, {T: 5e6, P: 0.5}, {T: 12e6, P: 0.875}, {T: 13e6, P: 0.5}, {T: 40e6, P: 1}}
	if got := s.Window().Fresh; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWindowOfNothing(t *testing.T) {
	same := diff.Change{Path: "a", Old: newBytes, New: newBytes}
	w := diff.NewWatch(time.Now(), []diff.Change{same}, []string{"o"}, 1)
	if win := w.Window(); !win.Closed || win.Pages != 0 || !w.Settled("o") || win.Upper != 0 {
		t.Errorf("nothing changes, but %+v", win)
	}
	if w.Settled("unknown") || w.Pending("unknown") != nil || w.Page("unknown", "a") != (diff.PageState{}) {
		t.Error("something is known of an unknown origin")
	}
}

// A watch that goes on for long keeps no more than one that ended at once.
func TestWindowMemory(t *testing.T) {
	const answers, most = 500_000, 256 << 10
	s := newStory(3, "o", "a")
	s.MayFlap("o")
	before := heap()
	for i := range answers {
		d := newBytes
		if i%100 == 50 {
			d = oldBytes
		}
		s.tell("o", "a", 10*i, 10*i+15, d)
	}
	if grown := heap() - before; grown > most {
		t.Errorf("%d answers take %d bytes, want at most %d", answers, grown, most)
	}
	if s.Window().Origins[0].Polls != answers {
		t.Error("not all were told")
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(min(m.HeapAlloc, math.MaxInt64))
}
