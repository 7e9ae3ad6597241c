package scheduler

import "time"

// Prev returns the last slot before an instant, in UTC: of a slot, the one that Next led to it
// from. It is zero where there is none.
func (s Schedule) Prev(before time.Time) time.Time {
	end := before.Unix() // slots are at whole seconds
	if before.Nanosecond() > 0 {
		end++
	}
	if !s.at.IsZero() {
		if s.at.Before(before) {
			return s.at
		}
		return time.Time{}
	}
	if s.every > 0 {
		slot := s.Next(time.Unix(end, 0))
		for !slot.Before(time.Unix(end, 0)) {
			slot = slot.Add(-s.every)
		}
		return slot
	}
	for back := time.Minute; back < 2*horizon; back *= 2 {
		if slot := s.Next(time.Unix(end, 0).Add(-back)); !slot.IsZero() && slot.Unix() < end {
			return s.last(slot.Unix(), end)
		}
	}
	return time.Time{}
}

// last returns the last slot before end, in seconds since 1970. There is one at slot.
func (s Schedule) last(slot, end int64) time.Time {
	for upto := end; ; { // no slot is between upto and end
		middle := slot + (upto-slot)/2
		next := s.Next(time.Unix(middle, 0))
		switch {
		case !next.IsZero() && next.Unix() < end:
			slot = next.Unix()
		case middle > slot:
			upto = middle
		default:
			return time.Unix(slot, 0).UTC()
		}
	}
}
