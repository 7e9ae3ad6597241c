package diff

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"time"

	"mirror/site"
)

// Watch gathers what several origins answer while a change goes live, and bounds its
// window. What it keeps grows with pages and origins, not with answers. It is not safe
// for concurrent use.
type Watch struct {
	began   time.Time
	needed  int // new answers that confirm a page
	changes []change
	index   map[string]int // of changes, by path
	names   []string
	origins map[string]*originWatch
	curve   curve
}

// change is a Change with the other releases whose bytes may be met.
type change struct {
	Change
	older, newer []site.Digest
	// void says that a newer release put the page back as it was before: its bytes tell
	// nothing any more.
	void bool
}

type originWatch struct {
	pages   []page // by index of the change
	flaps   bool
	atomic  bool
	front   bool
	polls   int
	wanted  int // pages that count: neither skipped nor void
	settled int // those of them that are confirmed
	// turned is when the last page that was old was first met as new, or later.
	turned time.Duration
}

// NewWatch begins a watch. Nothing new can have been visible before began, the start of
// the first commit; it needs the monotonic reading of the clock that the observations are
// timed by. A page is settled by confirm new answers that were all asked after the last
// other answer had ended, at least one. Changes whose two sides are equal are left out.
func NewWatch(began time.Time, changes []Change, origins []string, confirm int) *Watch {
	w := &Watch{began: began, needed: max(confirm, 1), index: map[string]int{}, origins: map[string]*originWatch{}}
	for _, c := range changes {
		if _, twice := w.index[c.Path]; !twice && c.Old != c.New {
			w.index[c.Path] = len(w.changes)
			w.changes = append(w.changes, change{Change: c})
		}
	}
	for _, name := range origins {
		if w.origins[name] == nil {
			w.names = append(w.names, name)
			w.origins[name] = &originWatch{pages: make([]page, len(w.changes)), wanted: len(w.changes)}
		}
	}
	return w
}

// Only declares which of the changes touch an origin: the others, whose pages already are
// there as they shall be, are neither waited for nor counted at it.
func (w *Watch) Only(origin string, paths []string) {
	at := w.origins[origin]
	if at == nil {
		return
	}
	own := map[string]bool{}
	for _, path := range paths {
		own[path] = true
	}
	for i := range at.pages {
		if p := &at.pages[i]; !p.skipped && !own[w.changes[i].Path] {
			w.drop(at, i)
			p.skipped = true
		}
	}
}

// counts reports whether a change is watched at an origin.
func (w *Watch) counts(at *originWatch, i int) bool {
	return !w.changes[i].void && !at.pages[i].skipped
}

// drop takes a page that stops to count out of an origin's counters.
func (w *Watch) drop(at *originWatch, i int) {
	if !w.counts(at, i) {
		return
	}
	at.wanted--
	if at.pages[i].settled(w.needed) {
		at.settled--
	}
}

// watched is how many changes are watched anywhere.
func (w *Watch) watched() (n int) {
	for i := range w.changes {
		for _, at := range w.origins {
			if w.counts(at, i) {
				n++
				break
			}
		}
	}
	return n
}

// MayFlap declares that several caches stand behind an origin, or that for another reason
// a page may be old there after it was new. An origin that is seen to do so is taken to
// from then on.
func (w *Watch) MayFlap(origin string) {
	if at := w.origins[origin]; at != nil {
		at.flaps = true
	}
}

// Atomic declares that a commit shows all its pages at an origin in one instant. The
// window's own bounds do not rest on that; its Atomic does.
func (w *Watch) Atomic(origin string) {
	if at := w.origins[origin]; at != nil {
		at.atomic = true
	}
}

// Front declares that an origin is a mirror front, which is atomic.
func (w *Watch) Front(origin string) {
	if at := w.origins[origin]; at != nil {
		at.front, at.atomic = true, true
	}
}

// Supersede tells bytes of a newer release at path, zero where it lacks the path: they
// count as new. Where they are the old bytes again, nothing separates the page's sides any
// more, and it leaves the window.
func (w *Watch) Supersede(path string, digest site.Digest) {
	i, ok := w.index[path]
	if !ok {
		return
	}
	c := &w.changes[i]
	if digest == c.Old || slices.Contains(c.older, digest) {
		w.leave(i)
		return
	}
	if digest != c.New && !slices.Contains(c.newer, digest) {
		c.newer = append(c.newer, digest)
	}
}

func (w *Watch) leave(i int) {
	for _, at := range w.origins {
		w.drop(at, i)
	}
	w.changes[i].void = true
}

// Precede tells bytes of an earlier release than the one before at path: an origin that
// serves them is further behind, and they count as old. Bytes that the new side has too
// are left to it.
func (w *Watch) Precede(path string, digest site.Digest) {
	i, ok := w.index[path]
	if !ok {
		return
	}
	c := &w.changes[i]
	if digest == c.Old || digest == c.New || slices.Contains(c.newer, digest) || slices.Contains(c.older, digest) {
		return
	}
	c.older = append(c.older, digest)
}

// Add takes in what an origin answered, and returns what it counts as. Observations may
// come in any order and overlap. One for another path or origin, or without times, says
// nothing. One that was answered before the watch began says how the page started: only
// one that was not new turns, and whatever it showed then counts as old at that origin.
func (w *Watch) Add(origin string, o site.Observation) Side {
	at := w.origins[origin]
	i, ok := w.index[o.Path]
	if at == nil || !ok || o.Asked.IsZero() {
		return Neither
	}
	at.polls++
	s := span{o.Asked.Sub(w.began), o.Answered.Sub(w.began)}
	if !w.counts(at, i) || s.answered < s.asked {
		return Neither
	}
	p := &at.pages[i]
	if s.answered < 0 {
		return w.changes[i].look(p, o)
	}
	side := w.changes[i].see(o, p.olds)
	s.asked = max(s.asked, 0)
	w.take(at, p, side, s, o)
	return side
}

// look takes in an answer from before the watch. Bytes that are not known count as old
// from then on, and prove nothing yet: something else than the page may have answered.
func (c *change) look(p *page, o site.Observation) Side {
	side := c.see(o, p.olds)
	switch {
	case side == New:
		p.look(startsNew)
	case side == Old:
		p.look(startsOld)
	case o.Err != nil || c.reached(o):
	case absent(o):
		p.look(startsOld)
		p.remember(site.Digest{})
	case o.Status == http.StatusOK && !o.Digest.IsZero() && o.Digest != empty:
		p.look(startsUnknown)
		p.remember(o.Digest)
	}
	return side
}

// empty is the digest of an answer without content, which a broken origin gives for any page.
var empty site.Digest = sha256.Sum256(nil)

func (w *Watch) take(at *originWatch, p *page, side Side, s span, o site.Observation) {
	if p.settled(w.needed) {
		at.settled--
	}
	switch {
	case side == Old:
		p.old(s)
	case side == New:
		p.new(s, w.needed)
	case tellsOfPage(o):
		p.deny(s)
	}
	if p.settled(w.needed) {
		at.settled++
	}
	if side == New && !p.still(at.flaps) {
		at.turned = max(at.turned, p.before)
	}
	at.flaps = at.flaps || p.flapped()
	if side != Neither {
		w.curve.add(&p.reads, s.asked, side == New)
	}
}

// see is Change.See with the other releases, and with what an origin showed before.
func (c *change) see(o site.Observation, olds []site.Digest) Side {
	shown := func(d site.Digest) bool { return shows(o, d) }
	return side(shown(c.Old) || slices.ContainsFunc(c.older, shown) || slices.ContainsFunc(olds, shown), c.reached(o))
}

// reached reports whether an answer shows the new side, whatever else it may show.
func (c *change) reached(o site.Observation) bool {
	return shows(o, c.New) || slices.ContainsFunc(c.newer, func(d site.Digest) bool { return shows(o, d) })
}

// tellsOfPage reports whether an answer that showed neither side says something of the
// page nevertheless: that it was not the new one. What only says that the origin could
// not answer does not count.
func tellsOfPage(o site.Observation) bool {
	return o.Err == nil && o.Status >= 200 && o.Status < 500 &&
		o.Status != http.StatusNotModified && o.Status != http.StatusTooManyRequests
}

// Settled reports whether every change that touches an origin is confirmed new there.
func (w *Watch) Settled(origin string) bool {
	at := w.origins[origin]
	if at == nil || at.settled < at.wanted {
		return false
	}
	for i := range at.pages {
		if w.counts(at, i) && at.overdue(&at.pages[i]) {
			return false
		}
	}
	return true
}

// Flaps reports whether an origin is declared or was seen to answer old after new.
func (w *Watch) Flaps(origin string) bool {
	at := w.origins[origin]
	return at != nil && at.flaps
}

// Pending returns the paths that are not confirmed new at an origin, in the order of the
// changes. Those that were new before the watch began count as confirmed only by an answer
// from after the others' turn: what the origin stores there differs, and may yet be shown.
func (w *Watch) Pending(origin string) []string {
	at := w.origins[origin]
	if at == nil {
		return nil
	}
	var paths []string
	for i := range at.pages {
		p := &at.pages[i]
		if w.counts(at, i) && (!p.settled(w.needed) || at.overdue(p)) {
			paths = append(paths, w.changes[i].Path)
		}
	}
	return paths
}

// Deployed says that an origin began to serve the release no later than at: pages that were
// new all along are to be asked for once more.
func (w *Watch) Deployed(origin string, at time.Time) {
	if o := w.origins[origin]; o != nil {
		o.turned = max(o.turned, at.Sub(w.began))
	}
}

// overdue reports whether a page that was new all along is to be asked for once more.
func (at *originWatch) overdue(p *page) bool { return p.still(at.flaps) && p.asked < at.turned }

// Still reports whether a page was new at an origin before the watch began and was not met
// as anything else since. It is not waited for.
func (w *Watch) Still(origin, path string) bool {
	at := w.origins[origin]
	i, ok := w.index[path]
	return at != nil && ok && at.pages[i].still(at.flaps)
}

// Page returns what is known of a page at an origin.
func (w *Watch) Page(origin, path string) PageState {
	at := w.origins[origin]
	i, ok := w.index[path]
	if at == nil || !ok {
		return PageState{}
	}
	p := &at.pages[i]
	after, before, ok := p.allNew(at.flaps, w.needed)
	b := w.bounds(after, before, ok)
	state := PageState{After: b.After, Before: b.Before, New: p.isNew, Reversals: p.reversals}
	if !at.overdue(p) {
		state.Confirmed = min(len(p.confirms), w.needed)
	}
	return state
}

func (w *Watch) bounds(after, before time.Duration, ok bool) Bounds {
	b := Bounds{After: w.began.Add(after)}
	if ok {
		b.Before = w.began.Add(before)
	}
	return b
}
