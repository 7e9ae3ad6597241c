package diff

import "time"

// FrontGap is how far apart the fronts of a window moved to the new release: the time from the first move to the
// last one.
type FrontGap struct {
	Fronts []string
	Lower  time.Duration
	Upper  time.Duration // 0 while Open
	Open   bool          // some front has not been seen to have moved
}

// FrontGap bounds the time between the moves of the fronts. It is false where fewer than two had pages that changed.
//
// A front moves in one instant. Where its answers agree with that, Switch bounds it; else AllNew does, which is when
// visitors got all of the release.
func (w Window) FrontGap() (FrontGap, bool) {
	var gap FrontGap
	var first, last interval
	var zero time.Time
	for _, o := range w.Origins {
		if !o.Front || o.Unchanged {
			continue
		}
		moved := o.AllNew
		if o.Switch != nil && !o.Switch.Before.IsZero() {
			moved = *o.Switch
		}
		if gap.Fronts = append(gap.Fronts, o.Name); len(gap.Fronts) == 1 {
			zero = moved.After
			first, last = moved.since(zero), moved.since(zero)
			continue
		}
		first, last = earlier(first, moved.since(zero)), later(last, moved.since(zero))
	}
	if len(gap.Fronts) < 2 {
		return FrontGap{}, false
	}
	gap.Open = last.open
	if !first.open {
		gap.Lower = max(0, last.after-first.before)
	}
	if !gap.Open {
		gap.Upper = last.before - first.after
	}
	return gap, true
}
