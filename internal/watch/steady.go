package watch

import (
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
func (w *Watch) count(name string, o site.Observation, sight diff.Sight) {
	switch {
	case sight == diff.Old:
		w.row[name] = 0
	case sight == diff.New || tells(o):
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
	return w.window.Settled(name) && (w.row[name] >= needed || len(w.own[name]) == 0)
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
