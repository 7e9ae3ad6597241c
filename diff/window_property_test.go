package diff_test

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
)

// claim is what docs/window.md claims of one origin, as instants after the watch began.
type claim struct {
	// The window surely lasts from first to all, for somebody.
	first, all time.Duration
	// The upper bound must reach from earliest to latest.
	earliest, latest time.Duration
	// hidden: the origin flaps, is not declared, and answers that overlap hide it. Nothing
	// is claimed of the upper bound.
	hidden bool
}

// kinds counts the worlds that were met.
type kinds struct{ closed, steady, flapping, unnoticed, hidden, unequal atomic.Int64 }

// TestWindowHoldsTheTruth looks for a world whose true window is out of the bounds.
func TestWindowHoldsTheTruth(t *testing.T) {
	worlds := scaled(100_000)
	var k kinds
	everyWorld(worlds, func(number uint64) {
		if err := tryWorld(number, &k); err != nil {
			t.Errorf("world %d: %v", number, err)
		}
	})
	t.Logf("%d worlds; windows looked at: %d closed; origins in them: %d steady, %d known to flap, %d flapping unnoticed, %d of these hidden by overlaps; %d start otherwise than the rest",
		worlds, k.closed.Load(), k.steady.Load(), k.flapping.Load(), k.unnoticed.Load(), k.hidden.Load(), k.unequal.Load())
}

// scaled returns how many worlds to try: fewer under -race and -short.
func scaled(worlds uint64) uint64 {
	switch {
	case testing.Short():
		return worlds / 20
	case raceDetector:
		return worlds / 5
	}
	return worlds
}

// FuzzWindowHoldsTheTruth tries the worlds that the fuzzer's numbers stand for.
func FuzzWindowHoldsTheTruth(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, number uint64) {
		if err := tryWorld(number, &kinds{}); err != nil {
			t.Error(err)
		}
	})
}

func everyWorld(worlds uint64, try func(number uint64)) {
	var next atomic.Uint64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for n := next.Add(1); n <= worlds; n = next.Add(1) {
				try(n)
			}
		})
	}
	workers.Wait()
}

// tryWorld judges the window at some instant, when it first closes, and at the end.
func tryWorld(number uint64, k *kinds) error {
	w := newWorld(number)
	requests := w.requests()
	look := w.IntN(len(requests))
	closed := false
	for i, a := range requests {
		w.tell(a)
		closes := !closed && w.settled()
		closed = closed || closes
		if i == look || closes || i == len(requests)-1 {
			if err := w.judge(k); err != nil {
				return fmt.Errorf("after %d answers: %w", i+1, err)
			}
		}
	}
	return nil
}

func (w *world) settled() bool {
	return !slices.ContainsFunc(w.places, func(p *place) bool { return !w.watch.Settled(p.name) })
}

// judge compares what the watch says now with the truth.
func (w *world) judge(k *kinds) error {
	win := w.watch.Window()
	if win.Closed != w.settled() {
		return fmt.Errorf("closed: %t, settled: %t", win.Closed, w.settled())
	}
	if win.Closed {
		k.closed.Add(1)
	}
	all := claim{first: never, earliest: never}
	for i, o := range win.Origins {
		c := w.claim(i, o, k)
		if err := cmp.Or(w.judgeOrigin(c, o), w.judgePages(w.places[i], o)); err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		all.first, all.all = min(all.first, c.first), max(all.all, c.all)
		all.earliest, all.latest = min(all.earliest, c.earliest), max(all.latest, c.latest)
		all.hidden = all.hidden || c.hidden
	}
	switch {
	case win.Lower > max(0, all.all-all.first):
		return fmt.Errorf("lower %v, truth %v", win.Lower, all.all-all.first)
	case win.Closed && !all.hidden && win.Upper < all.latest-all.earliest:
		return fmt.Errorf("upper %v, truth %v", win.Upper, all.latest-all.earliest)
	case win.Closed && win.Lower > win.Upper || !win.Closed && win.Upper != 0:
		return fmt.Errorf("lower %v, upper %v", win.Lower, win.Upper)
	}
	return nil
}

func (w *world) judgeOrigin(c claim, o diff.OriginWindow) error {
	first, all := w.since(o.FirstNew), w.since(o.AllNew)
	if o.Unchanged {
		c.first, c.earliest = first.before, first.after // it says nothing of a turn
	}
	switch {
	case first.before < c.first:
		return fmt.Errorf("first new before %v, truth %v", first.before, c.first)
	case all.after > c.all:
		return fmt.Errorf("all new after %v, truth %v", all.after, c.all)
	case !c.hidden && first.after > c.earliest:
		return fmt.Errorf("first new after %v, truth %v", first.after, c.earliest)
	case !c.hidden && all.before < c.latest:
		return fmt.Errorf("all new before %v, truth %v", all.before, c.latest)
	case first.after > first.before || all.after > all.before:
		return fmt.Errorf("bounds %v, %v", first, all)
	}
	return nil
}

// judgePages judges an origin that turns each page once: at no page is there any doubt.
func (w *world) judgePages(p *place, o diff.OriginWindow) error {
	if !p.steady {
		return nil
	}
	if !p.declared && (o.Flaps || o.Reversals > 0) {
		return errors.New("it never turned back, and is said to")
	}
	for page, c := range w.changes {
		if p.skipped[page] {
			continue
		}
		s := w.watch.Page(p.name, c.Path)
		in, truth := w.since(diff.Bounds{After: s.After, Before: s.Before}), p.edges[0].firstNew(page)
		if in.after > truth || in.before < truth {
			return fmt.Errorf("%s: %v, truth %v", c.Path, in, truth)
		}
	}
	return nil
}

// between is diff.Bounds as time since the watch began.
type between struct{ after, before time.Duration }

func (w *world) since(b diff.Bounds) between {
	in := between{after: b.After.Sub(w.began), before: never}
	if !b.Before.IsZero() {
		in.before = b.Before.Sub(w.began)
	}
	return in
}

// claim works out the truth of an origin, from its edges and from what its requests met.
func (w *world) claim(i int, o diff.OriginWindow, k *kinds) claim {
	p := w.places[i]
	c := claim{first: never, earliest: never}
	count := &k.steady
	for page := range w.changes {
		if p.skipped[page] {
			continue
		}
		first, all := p.turned(page)
		earliest, latest := first, all
		switch {
		case o.Flaps || p.declared:
			count = &k.flapping
			latest = w.confirmed(i, page)
		case !p.steady:
			count = &k.unnoticed
			earliest, latest = w.asOnce(i, page)
			c.hidden = c.hidden || earliest >= latest && earliest != never
		}
		c.first, c.all = min(c.first, first), max(c.all, all)
		c.earliest, c.latest = min(c.earliest, earliest), max(c.latest, latest)
	}
	count.Add(1)
	if p.unequal {
		k.unequal.Add(1)
	}
	if c.hidden {
		k.hidden.Add(1)
	}
	return c
}

// turned returns when a page begins to turn at a place, and when it last turns. It begins
// when one of the caches turns it new, or some have it new and others not.
func (p *place) turned(page int) (first, last time.Duration) {
	first = never
	for _, e := range p.edges {
		first, last = min(first, e.firstTurn(page)), max(last, e.lastTurn(page))
		for _, t := range e[page] {
			if p.mixed(page, t.at) {
				first = min(first, t.at)
			}
		}
	}
	return first, last
}

// mixed reports whether some caches serve a page new at an instant and others do not.
func (p *place) mixed(page int, at time.Duration) bool {
	some, every := false, true
	for _, e := range p.edges {
		reached := e.at(page, at).state.reached()
		some, every = some || reached, every && reached
	}
	return some && !every
}

// confirmed returns since when a page is new at all edges that confirmed it, and no
// earlier than it was last met as anything else; never where too few answers confirm.
func (w *world) confirmed(place, page int) time.Duration {
	state := w.watch.Page(w.places[place].name, w.changes[page].Path)
	before := w.since(diff.Bounds{Before: state.Before}).before
	var since, denied time.Duration
	for _, a := range w.told {
		if a.place == place && a.page == page && a.showed && !a.turn.state.reached() {
			since, denied = max(since, a.sampled), max(denied, a.answered)
		}
	}
	confirms := 0
	for _, a := range w.told {
		if a.place == place && a.page == page && a.showed && a.turn.state.reached() && a.answered >= 0 && max(a.asked, 0) >= denied && a.answered <= before {
			since = max(since, a.turn.at)
			confirms++
		}
	}
	if confirms < w.confirm {
		return never
	}
	return since
}

// asOnce returns between which instants a page that turns once could have done so and
// given the answers that were given: after the last that was met as old, up to the first
// that was met as new. There is no such instant where earliest is not before latest.
func (w *world) asOnce(place, page int) (earliest, latest time.Duration) {
	if w.metNewOnly(place, page) {
		return never, 0 // it did not turn at all
	}
	latest = never
	for _, a := range w.told {
		switch {
		case a.place != place || a.page != page || !a.showed || !w.tells(a) || a.answered < 0:
		case a.turn.state.reached():
			latest = min(latest, max(a.sampled, 0))
		default:
			earliest = max(earliest, a.sampled)
		}
	}
	return earliest, latest
}

// metNewOnly reports whether a page was new at every look before the watch began, at least
// one, and whenever it was asked for since.
func (w *world) metNewOnly(place, page int) bool {
	looked := false
	for _, a := range w.told {
		if a.place != place || a.page != page || !a.showed {
			continue
		}
		switch {
		case a.turn.state.reached():
			looked = looked || a.answered < 0
		case w.tells(a):
			return false
		}
	}
	return looked
}

// tells reports whether what an edge served is known to be old or new: bytes of none are,
// and no page where there was one, if a look met them before the watch began.
func (w *world) tells(a reply) bool {
	if s := a.turn.state; s != broken && (s != gone || w.changes[a.page].Old.IsZero()) {
		return true
	}
	return slices.ContainsFunc(w.told, func(look reply) bool {
		return look.place == a.place && look.page == a.page && look.answered < 0 && look.showed && look.turn.state == a.turn.state
	})
}
