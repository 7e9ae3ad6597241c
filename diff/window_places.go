package diff

import (
	"slices"
	"time"
)

// JoinPlaces makes one window of what several places saw of the same change. here names the place that w was
// watched from. Each place has caches of its own, so an origin is first new when the first place met it, and all
// new when the last one did. began is the start of the watch: nothing switched before. Freshness stays
// that of w. A place that is missing is listed and does not count.
func (w Window) JoinPlaces(began time.Time, here string, places []PlaceWindow) Window {
	own := PlaceWindow{Place: here, Closed: w.Closed, Lower: w.Lower, Upper: w.Upper, Origins: w.Origins}
	joined := w
	joined.Places, joined.Origins, joined.Atomic = []PlaceWindow{own}, slices.Clone(w.Origins), nil
	views := [][]OriginWindow{w.Origins}
	for _, p := range places {
		if p.Missing == "" {
			p.Closed, p.Lower, p.Upper = lengthOf(began, p.Origins)
			views = append(views, p.Origins)
			for i := range joined.Origins {
				joined.Origins[i] = joinOrigin(joined.Origins[i], p.Origins)
			}
		}
		joined.Places = append(joined.Places, p)
	}
	all := slices.Concat(views...)
	joined.Closed, joined.Lower, joined.Upper = lengthOf(began, all)
	if joined.Closed {
		joined.Atomic = atomicOf(began, all)
	}
	return joined
}

// joinOrigin adds what another place saw of an origin.
func joinOrigin(o OriginWindow, seen []OriginWindow) OriginWindow {
	for _, s := range seen {
		if s.Name != o.Name {
			continue
		}
		o.Reversals, o.Polls, o.Flaps, o.Switch = o.Reversals+s.Reversals, o.Polls+s.Polls, o.Flaps || s.Flaps, nil
		open := slices.Concat(o.Open, s.Open)
		slices.Sort(open)
		o.Open = slices.Compact(open)
		switch {
		case s.Unchanged:
		case o.Unchanged:
			o.FirstNew, o.AllNew, o.Unchanged = s.FirstNew, s.AllNew, false
		default:
			o.FirstNew = o.FirstNew.join(s.FirstNew, earlier)
			o.AllNew = o.AllNew.join(s.AllNew, later)
		}
	}
	return o
}

// join combines bounds by a function on intervals.
func (b Bounds) join(other Bounds, by func(a, b interval) interval) Bounds {
	from := b.After
	in := by(b.since(from), other.since(from))
	joined := Bounds{After: from.Add(in.after)}
	if !in.open {
		joined.Before = from.Add(in.before)
	}
	return joined
}

// since is the bounds as an interval.
func (b Bounds) since(from time.Time) interval {
	if b.Before.IsZero() {
		return interval{after: b.After.Sub(from), open: true}
	}
	return interval{after: b.After.Sub(from), before: b.Before.Sub(from)}
}

// lengthOf bounds the length of the window over origins, as each was seen from some place.
func lengthOf(began time.Time, origins []OriginWindow) (closed bool, lower, upper time.Duration) {
	closed = true
	var found []edges
	for _, o := range origins {
		closed = closed && len(o.Open) == 0
		if !o.Unchanged {
			found = append(found, edges{o.FirstNew.since(began), o.AllNew.since(began)})
		}
	}
	if len(found) == 0 {
		return closed, 0, 0
	}
	lower, upper = extent(found, closed)
	return closed, lower, upper
}

// atomicOf is the length if each origin that is declared atomic switched in one instant at each place; nil where
// none is.
func atomicOf(began time.Time, origins []OriginWindow) *Span {
	declared := false
	var found []edges
	for _, o := range origins {
		if o.Unchanged {
			continue
		}
		e := edges{o.FirstNew.since(began), o.AllNew.since(began)}
		if o.Switch != nil && !o.Switch.Before.IsZero() {
			once := o.Switch.since(began)
			e, declared = edges{once, once}, true
		}
		found = append(found, e)
	}
	if !declared {
		return nil
	}
	lower, upper := extent(found, true)
	return &Span{lower, upper}
}
