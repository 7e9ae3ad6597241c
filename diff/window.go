package diff

import (
	"net/http"
	"time"

	"mirror/site"
)

// Change is one path that a release changes. A zero digest says that the path is not
// there: before, where Old is zero, or after, where New is.
type Change struct {
	Path     string
	Old, New site.Digest
}

// Side is the side of a Change that an answer showed.
type Side int

// What an answer can show. Neither says nothing about the time at which the page changed.
const (
	Neither Side = iota // no whole answer, or bytes of no release that counts here
	Old                 // the release before, or one before that
	New                 // the release, or a newer one
)

// String returns "neither", "old" or "new".
func (s Side) String() string {
	switch s {
	case Old:
		return "old"
	case New:
		return "new"
	}
	return "neither"
}

// See tells what an answer shows. Bytes decide, in a 200 and also in a 404 or 410, as
// some hosts answer for their not-found page; 404 and 410 show the absence of a path that
// one side of the change lacks. All else is Neither: errors, redirects, 304, 5xx, bytes
// of no side, and what fits both sides.
func (c Change) See(o site.Observation) Side { return side(shows(o, c.Old), shows(o, c.New)) }

func side(old, new bool) Side {
	switch {
	case old == new:
		return Neither
	case new:
		return New
	}
	return Old
}

// shows reports whether an answer shows the path with the digest, or its absence where the
// digest is zero.
func shows(o site.Observation, d site.Digest) bool {
	switch {
	case o.Err != nil, o.Status != http.StatusOK && !absent(o):
		return false
	case d.IsZero():
		return absent(o)
	}
	return o.Digest == d || o.Raw == d
}

// absent reports whether an answer says that there is no such page.
func absent(o site.Observation) bool {
	return o.Status == http.StatusNotFound || o.Status == http.StatusGone
}

// Bounds enclose an instant: it is no earlier than After and no later than Before.
type Bounds struct {
	After  time.Time
	Before time.Time // zero: not seen yet, so that nothing bounds it
}

// Window is the time for which origins turned to a change: from the first page at any
// origin to turn new to the last one. A page that was new at an origin before the watch
// began does not turn there. docs/window.md says what exactly is bounded, and proves it.
type Window struct {
	// Closed says that every page of every origin was confirmed new. Until then the
	// window is open: it is at least Lower, and nothing bounds it from above.
	Closed bool
	// Lower and Upper bound the window's length. Upper is 0 and says nothing while the
	// window is open.
	Lower, Upper time.Duration
	Pages        int // changed paths, at any origin
	Origins      []OriginWindow
	Fresh        []Freshness
	// Atomic holds the tighter bounds that follow if each commit declared atomic showed
	// all its pages in one instant; nil where none is declared, or while open.
	Atomic *Span
	// Places are what each place saw by itself, where the window was watched from several: see JoinPlaces.
	Places []PlaceWindow `json:",omitzero"`
}

// PlaceWindow is what one place saw of a window, on the clock of the machine that joins them.
type PlaceWindow struct {
	Place        string
	Missing      string         `json:",omitzero"` // why what it saw is no part of the window, "" where it is
	Closed       bool           // as that of a Window
	Lower, Upper time.Duration  // as those of a Window
	Offset       time.Duration  `json:",omitzero"` // how much its bounds were widened at most, since its clock is another one
	Origins      []OriginWindow `json:"-"`         // in any order
}

// Span is a length between two bounds.
type Span struct{ Lower, Upper time.Duration }

// OriginWindow is one origin's part of a window.
type OriginWindow struct {
	Name     string
	Front    bool   `json:",omitzero"` // it is a mirror front, which moves to a release in one instant
	Pages    int    // changed paths at this origin
	FirstNew Bounds // when the first of its pages turned new
	AllNew   Bounds // when the last did
	// Unchanged says that none of its pages turned: none is touched by the change there, or
	// all were new before. FirstNew and AllNew then are the beginning of the watch.
	Unchanged bool
	Reversals int // new answers followed by an old one for the same page
	Polls     int // requests, those that failed too
	// Flaps says that the origin is declared or was seen to answer old after new, so that
	// its bounds do not take a page to turn new only once.
	Flaps bool
	// Switch bounds the one instant at which all pages turned new; nil where the origin
	// is not declared atomic, or where its answers deny it.
	Switch *Bounds
	// Behind bounds when the origin itself, behind its caches, showed all of the change: a
	// page that is old here and new there is stale at the edge only. Nil where no request
	// went past the caches.
	Behind *Bounds
	Open   []string // paths that are not settled, in the order of the changes
}

// Freshness is a point of the t-visibility curve: a reader of any changed page at any
// origin, each as likely, who asked T after the beginning, and before the next point's T,
// met the new bytes with probability P. A page that was not asked for then counts as it
// last answered.
type Freshness struct {
	T time.Duration
	P float64
}

// PageState is what is known of one page at one origin.
type PageState struct {
	// After and Before bound the instant since when the page is new. Before is zero until
	// that was seen; where the origin flaps, until it was confirmed.
	After, Before time.Time
	New           bool // the answer to the latest request that showed anything was new
	Confirmed     int  // new answers since the last that was not, at most those needed
	Reversals     int
}
