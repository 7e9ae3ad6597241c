package diff

import "time"

// interval is Bounds as time since the watch began; open where before does not hold.
type interval struct {
	after, before time.Duration
	open          bool
}

// edges are the two instants that an origin, or all of them, are bounded by.
type edges struct{ first, all interval }

// Window returns what the answers so far prove.
func (w *Watch) Window() Window {
	win := Window{Closed: true, Pages: w.watched(), Fresh: w.fresh()}
	var found, atomic []edges
	declared := false
	for _, name := range w.names {
		at := w.origins[name]
		e, o := w.origin(name, at)
		win.Origins = append(win.Origins, o)
		win.Closed = win.Closed && len(o.Open) == 0
		if o.Unchanged {
			continue
		}
		found = append(found, e)
		if once, ok := w.once(at); ok && !once.open {
			declared = true
			e = edges{once, once}
		}
		atomic = append(atomic, e)
	}
	if len(found) == 0 {
		return win
	}
	win.Lower, win.Upper = extent(found, win.Closed)
	if declared && win.Closed {
		lower, upper := extent(atomic, true)
		win.Atomic = &Span{lower, upper}
	}
	return win
}

// origin folds the pages of one origin: the first to turn new, and the last.
func (w *Watch) origin(name string, at *originWatch) (edges, OriginWindow) {
	o := OriginWindow{Name: name, Front: at.front, Polls: at.polls, Flaps: at.flaps, Open: w.Pending(name), Pages: at.wanted, Unchanged: true}
	e := edges{first: interval{open: true}}
	for i := range at.pages {
		p := &at.pages[i]
		o.Reversals += p.reversals
		if !w.moves(at, i) {
			continue
		}
		first := interval{after: p.firstNew(at.flaps), before: p.turnedBy, open: !p.turned}
		after, before, ok := p.allNew(at.flaps, w.needed)
		all := interval{after, before, !ok}
		if o.Unchanged {
			e, o.Unchanged = edges{first, all}, false
			continue
		}
		e = edges{earlier(e.first, first), later(e.all, all)}
	}
	if o.Unchanged {
		e = edges{all: interval{open: len(o.Open) > 0}}
	}
	o.FirstNew = w.bounds(e.first.after, e.first.before, !e.first.open)
	o.AllNew = w.bounds(e.all.after, e.all.before, !e.all.open)
	if once, ok := w.once(at); ok {
		b := w.bounds(once.after, once.before, !once.open)
		o.Switch = &b
	}
	return e, o
}

// moves reports whether a page counts for the window at an origin: the change touches it
// there, and it was not new all along.
func (w *Watch) moves(at *originWatch, i int) bool {
	p := &at.pages[i]
	return w.counts(at, i) && !p.still(at.flaps)
}

// once bounds the one switch of an origin that is declared atomic: it comes after every
// old answer's start and before the end of every new one that proves a turn. ok is false
// where nothing turns, or no such instant is left.
func (w *Watch) once(at *originWatch) (in interval, ok bool) {
	if !at.atomic || at.flaps {
		return in, false
	}
	in.open = true
	moves := false
	for i := range at.pages {
		p := &at.pages[i]
		if !w.moves(at, i) {
			continue
		}
		moves = true
		in.after = max(in.after, p.after)
		if p.turned && (in.open || p.turnedBy < in.before) {
			in.before, in.open = p.turnedBy, false
		}
	}
	return in, moves && (in.open || in.after <= in.before)
}

// earlier bounds the earlier of two instants, later the later one.
func earlier(a, b interval) interval {
	in := interval{after: min(a.after, b.after), open: a.open && b.open}
	switch {
	case a.open:
		in.before = b.before
	case b.open:
		in.before = a.before
	default:
		in.before = min(a.before, b.before)
	}
	return in
}

func later(a, b interval) interval {
	return interval{after: max(a.after, b.after), before: max(a.before, b.before), open: a.open || b.open}
}

// extent bounds the time from the earliest first instant to the latest last one. Upper is
// 0 unless the window is closed, and lower until anything new was seen.
func extent(origins []edges, closed bool) (lower, upper time.Duration) {
	e := origins[0]
	for _, o := range origins[1:] {
		e = edges{earlier(e.first, o.first), later(e.all, o.all)}
	}
	if !e.first.open {
		lower = max(0, e.all.after-e.first.before)
	}
	if closed {
		upper = e.all.before - e.first.after
	}
	return lower, upper
}

// fresh returns the t-visibility curve up to the latest read.
func (w *Watch) fresh() []Freshness {
	c := w.curve
	pages := 0
	for _, at := range w.origins {
		for i := range at.pages {
			if at.pages[i].skipped {
				continue
			}
			pages++
			c.sum(at.pages[i].reads, c.last+1)
		}
	}
	return c.points(pages)
}
