package diff

import (
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
	pages   int            // changes that are not void
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
	pages    []page // by index of the change
	flaps    bool
	atomic   bool
	absentAs int // a status that shows absence, beside 404 and 410
	polls    int
	settled  int // pages that are confirmed and not void
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
	w.pages = len(w.changes)
	for _, name := range origins {
		if w.origins[name] == nil {
			w.names = append(w.names, name)
			w.origins[name] = &originWatch{pages: make([]page, len(w.changes))}
		}
	}
	return w
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

// AbsentAs declares a status by which an origin, beside 404 and 410, says that a path is
// not there: a bucket that may not be listed says 403.
func (w *Watch) AbsentAs(origin string, status int) {
	if at := w.origins[origin]; at != nil {
		at.absentAs = status
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
	if w.changes[i].void {
		return
	}
	w.changes[i].void = true
	w.pages--
	for _, at := range w.origins {
		if at.pages[i].settled(w.needed) {
			at.settled--
		}
	}
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
// nothing; one that was answered before the watch began says nothing of the window.
func (w *Watch) Add(origin string, o site.Observation) Sight {
	at := w.origins[origin]
	i, ok := w.index[o.Path]
	if at == nil || !ok || o.Asked.IsZero() {
		return Neither
	}
	at.polls++
	s := span{o.Asked.Sub(w.began), o.Answered.Sub(w.began)}
	if w.changes[i].void || s.answered < s.asked {
		return Neither
	}
	if at.absentAs != 0 && o.Status == at.absentAs {
		o.Status = http.StatusNotFound
	}
	sight := w.changes[i].see(o)
	if s.answered >= 0 {
		s.asked = max(s.asked, 0)
		w.take(at, &at.pages[i], sight, s, o)
	}
	return sight
}

func (w *Watch) take(at *originWatch, p *page, sight Sight, s span, o site.Observation) {
	if p.settled(w.needed) {
		at.settled--
	}
	switch {
	case sight == Old:
		p.old(s)
	case sight == New:
		p.new(s, w.needed)
	case tellsOfPage(o):
		p.deny(s)
	}
	if p.settled(w.needed) {
		at.settled++
	}
	at.flaps = at.flaps || p.flapped()
	if sight != Neither {
		w.curve.add(&p.reads, s.asked, sight == New)
	}
}

// see is Change.See with the other releases.
func (c *change) see(o site.Observation) Sight {
	shown := func(d site.Digest) bool { return shows(o, d) }
	return sight(shown(c.Old) || slices.ContainsFunc(c.older, shown), shown(c.New) || slices.ContainsFunc(c.newer, shown))
}

// tellsOfPage reports whether an answer that showed neither side says something of the
// page nevertheless: that it was not the new one. What only says that the origin could
// not answer does not count.
func tellsOfPage(o site.Observation) bool {
	return o.Err == nil && o.Status >= 200 && o.Status < 500 &&
		o.Status != http.StatusNotModified && o.Status != http.StatusTooManyRequests
}

// Settled reports whether every change is confirmed new at an origin.
func (w *Watch) Settled(origin string) bool {
	at := w.origins[origin]
	return at != nil && at.settled == w.pages
}

// Flaps reports whether an origin is declared or was seen to answer old after new.
func (w *Watch) Flaps(origin string) bool {
	at := w.origins[origin]
	return at != nil && at.flaps
}

// Pending returns the paths that are not confirmed new at an origin, in the order of the
// changes.
func (w *Watch) Pending(origin string) []string {
	at := w.origins[origin]
	if at == nil || at.settled == w.pages {
		return nil
	}
	paths := make([]string, 0, w.pages-at.settled)
	for i := range at.pages {
		if !w.changes[i].void && !at.pages[i].settled(w.needed) {
			paths = append(paths, w.changes[i].Path)
		}
	}
	return paths
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
	return PageState{
		After: b.After, Before: b.Before, New: p.isNew,
		Confirmed: min(len(p.confirms), w.needed), Reversals: p.reversals,
	}
}

func (w *Watch) bounds(after, before time.Duration, ok bool) Bounds {
	b := Bounds{After: w.began.Add(after)}
	if ok {
		b.Before = w.began.Add(before)
	}
	return b
}
