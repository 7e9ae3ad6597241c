package diff_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

// The simulator makes random publishes of which it knows everything: what every cache of
// every origin serves at every instant, which cache each request meets, and when.

// never is an instant that does not come.
const never = time.Duration(math.MaxInt64)

// state is what an edge serves at a page.
type state byte

const (
	stale  state = iota // bytes of a release before the one before
	old                 // of the one before
	broken              // of none
	gone                // nothing, where the release has a page
	fresh               // of the release
	newer               // of the one after
)

func (s state) reached() bool { return s >= fresh }

// turn begins a state at an instant after the watch began.
type turn struct {
	at    time.Duration
	state state
}

// edge is what one cache does: its turns page by page, in time order, the first at 0.
type edge [][]turn

// at returns the turn that a page is in.
func (e edge) at(page int, t time.Duration) turn {
	turns := e[page]
	i := len(turns) - 1
	for turns[i].at > t {
		i--
	}
	return turns[i]
}

// firstNew returns when a page is new for the first time, firstTurn when it first turns so,
// and lastTurn when it does for good: 0 where it was new all along, never where it is not
// new in the end.
func (e edge) firstNew(page int) time.Duration {
	for _, t := range e[page] {
		if t.state.reached() {
			return t.at
		}
	}
	return never
}

func (e edge) firstTurn(page int) time.Duration {
	for i, t := range e[page] {
		if t.at > 0 && t.state.reached() && !e[page][i-1].state.reached() {
			return t.at
		}
	}
	return never
}

func (e edge) lastTurn(page int) time.Duration {
	since := never
	for _, t := range slices.Backward(e[page]) {
		if !t.state.reached() {
			break
		}
		since = t.at
	}
	return since
}

// place is an origin: one edge or several, and how it is asked.
type place struct {
	name     string
	edges    []edge
	steady   bool   // one edge, and each page turns new once
	declared bool   // to the watch, as one that may flap
	unequal  bool   // it starts otherwise than the others
	skipped  []bool // by page: the change does not touch it here
	looked   bool   // every page was looked at before the watch began
	routes   []int
	sticky   bool    // a connection stays at its edge
	trouble  float64 // the share of requests without a proper answer
	up, down time.Duration
	gap      time.Duration
	pattern  int
	serial   bool // the next request waits for the last answer
}

// reply is a request with all that the watch cannot know of it.
type reply struct {
	place, page, edge int
	asked, sampled    time.Duration
	answered, told    time.Duration
	showed            bool // the answer is what the edge served
	turn              turn // that the page was in, on the edge
	o                 site.Observation
}

type world struct {
	*rand.Rand
	began   time.Time
	span    time.Duration // of the publish, roughly
	grain   time.Duration // all instants are multiples of it
	changes []diff.Change
	newer   []site.Digest
	places  []*place
	confirm int
	late    time.Duration // how long after its end an answer may be told

	watch *diff.Watch
	told  []reply
}

// newWorld makes the world that the number stands for.
func newWorld(number uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(number, 20110725)), began: time.Now()}
	w.span = w.upTo(2*time.Second) + time.Millisecond
	w.grain = []time.Duration{1, 1, time.Millisecond, w.span / 20}[w.IntN(4)]
	w.confirm = 1 + w.IntN(4)
	if w.IntN(3) == 0 {
		w.late = w.upTo(w.span / 4)
	}
	for i := range 1 + w.IntN(4) {
		w.changes = append(w.changes, w.change(i))
		w.newer = append(w.newer, w.successor(i))
	}
	for i := range 1 + w.IntN(3) {
		w.places = append(w.places, w.place(fmt.Sprint("origin", i)))
	}
	w.open()
	return w
}

// open begins the watch.
func (w *world) open() {
	var names []string
	for _, p := range w.places {
		names = append(names, p.name)
	}
	w.watch, w.told = diff.NewWatch(w.began, w.changes, names, w.confirm), nil
	for _, p := range w.places {
		if p.declared {
			w.watch.MayFlap(p.name)
		}
	}
	for _, p := range w.places {
		var own []string
		for i, c := range w.changes {
			if !p.skipped[i] {
				own = append(own, c.Path)
			}
		}
		if len(own) < len(w.changes) {
			w.watch.Only(p.name, own)
		}
	}
	for i, c := range w.changes {
		w.watch.Supersede(c.Path, w.newer[i])
		w.watch.Precede(c.Path, bytesOf(i, stale))
	}
}

func bytesOf(page int, s state) site.Digest { return site.Digest{byte(page) + 1, byte(s) + 1} }

func (w *world) change(i int) diff.Change {
	c := diff.Change{Path: fmt.Sprint("page", i), Old: bytesOf(i, old), New: bytesOf(i, fresh)}
	switch w.IntN(5) {
	case 0:
		c.Old = site.Digest{}
	case 1:
		c.New = site.Digest{}
	}
	return c
}

// successor is what the release after this one has at a page: mostly other bytes.
func (w *world) successor(i int) site.Digest {
	switch {
	case w.IntN(4) == 0:
		return w.changes[i].New
	case w.IntN(4) == 0 && !w.changes[i].Old.IsZero():
		return site.Digest{}
	}
	return bytesOf(i, newer)
}

func (w *world) place(name string) *place {
	p := &place{
		name: name, steady: true, pattern: w.IntN(4), serial: w.IntN(2) == 0,
		unequal: w.IntN(3) == 0, looked: w.IntN(4) > 0,
		up: w.upTo(w.span / 10), down: w.upTo(w.span / 10), gap: w.upTo(w.span/8) + w.span/100,
	}
	if w.IntN(2) == 0 {
		p.trouble = w.Float64() / 2
	}
	for range w.changes {
		p.skipped = append(p.skipped, p.unequal && w.IntN(5) == 0)
	}
	commit := w.upTo(w.span)
	trickle := w.upTo(w.span / time.Duration(1+w.IntN(8)))
	caches, toggles := 1, false
	if w.IntN(3) == 0 {
		p.steady, p.declared, p.sticky = false, w.IntN(2) == 0, w.IntN(2) == 0
		caches, toggles = 1+w.IntN(3), w.IntN(2) == 0
	}
	for range caches {
		e := edge{}
		for page := range w.changes {
			e = append(e, w.turns(page, p.unequal, commit+w.upTo(trickle), toggles))
		}
		p.edges = append(p.edges, e)
		commit += w.upTo(w.span / 2)
	}
	for range 4 {
		p.routes = append(p.routes, w.IntN(caches))
	}
	return p
}

// turns makes what one edge serves at one page, new from the given instant on.
func (w *world) turns(page int, unequal bool, at time.Duration, toggles bool) []turn {
	at = w.round(at)
	turns := []turn{{0, w.begins(page, unequal)}}
	if turns[0].state.reached() {
		turns, at = nil, 0
	} else if w.IntN(8) == 0 { // what was there is broken for a while
		turns = append(turns, turn{w.round(w.upTo(at)), broken})
	}
	if w.IntN(20) == 0 && turns != nil {
		return turns
	}
	turns = append(turns, turn{at, fresh})
	for toggles && w.IntN(3) > 0 {
		at += w.round(w.upTo(w.span/2)) + w.grain
		turns = append(turns, turn{at, []state{old, old, fresh, fresh, stale, broken}[w.IntN(6)]})
	}
	if w.IntN(6) == 0 {
		turns = append(turns, turn{at + w.round(w.upTo(w.span)), newer})
	}
	return turns
}

// begins is what an edge serves at a page when the watch begins: mostly the release before.
// An origin that starts otherwise may have the new bytes, none, those of nobody, or be behind.
func (w *world) begins(page int, unequal bool) state {
	s := []state{old, old, old, stale}[w.IntN(4)]
	switch {
	case w.IntN(20) == 0:
		return fresh
	case !unequal:
		return s
	}
	s = []state{fresh, fresh, stale, broken, gone, old}[w.IntN(6)]
	if s == gone && (w.changes[page].New.IsZero() || w.newer[page].IsZero()) {
		return old // no page is what counts as new
	}
	return s
}

func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.Int64N(int64(d) + 1)) }

func (w *world) round(d time.Duration) time.Duration { return d.Truncate(w.grain) }
