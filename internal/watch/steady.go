package watch

import (
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

// How many answers in a row, over all pages of an origin, have to be without old bytes
// before it counts as settled, beside each page's own confirmation. Where one of two
// caches is stuck each page is soon new twice by chance, but the origin is not new 32
// times: among a million such rows there is less than one.
const (
	rowSteady   = 8
	rowFlapping = 32
)

// count takes in an answer of an origin. The lock is held.
func (w *Watch) count(name string, o site.Observation, side diff.Side) {
	switch {
	case side == diff.Old:
		w.row[name] = 0
	case side == diff.New || tells(o):
		w.row[name]++
	}
}

// steady reports whether every page of an origin is confirmed, and it shows no old bytes
// any more. The lock is held.
func (w *Watch) steady(name string) bool {
	needed := rowSteady
	if w.window.Flaps(name) {
		needed = rowFlapping
	}
	return w.window.Settled(name) && !w.undeployed(name) && (w.row[name] >= needed || len(w.own[name]) == 0)
}

// undeployed reports whether an origin is still to begin to serve what is stored: it served
// all of its own pages new before, though its target held others, and its beacon claims the
// release of before. A late deployment may yet show what was stored in between. The caller
// must hold mu.
func (w *Watch) undeployed(name string) bool {
	before, claim := w.options.Claimed[name], w.claims[name]
	if before == site.None || before == w.options.Release || claim == w.options.Release || w.passed[claim] {
		return false
	}
	moves := func(i int) bool { return !w.window.Still(name, w.options.Changes[i].Path) }
	return len(w.own[name]) > 0 && !slices.ContainsFunc(w.own[name], moves)
}

// reopen has a window show as open the origins that are confirmed and not steady. The
// lock is held.
func (w *Watch) reopen(win *diff.Window) {
	for i := range win.Origins {
		o := &win.Origins[i]
		if len(o.Open) > 0 || w.steady(o.Name) {
			continue
		}
		for _, i := range w.own[o.Name] {
			o.Open = append(o.Open, w.options.Changes[i].Path)
		}
		o.AllNew.Before = time.Time{}
		win.Closed, win.Upper, win.Atomic = false, 0, nil
	}
}
