// Package scheduler runs jobs at the times that cron specs name: each slot once, across
// restarts, changes of the clock and machines that sleep. It knows nothing of what the jobs
// do.
package scheduler

import (
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is when a job runs. The zero Schedule is never; Parse makes others.
//
// A slot is an instant at which the schedule's clock shows a time that the spec names. When
// clocks go forward, the times that they leave out have no slot. When clocks go back, a time
// that is shown twice has a slot at the first; only where the hour field leaves no hour out
// does it have one at both, since such a spec speaks of every hour that passes.
type Schedule struct {
	spec   string
	at     time.Time         // for @at; the only slot
	every  time.Duration     // for @every; the slots are multiples of it since 1970
	fields cron.SpecSchedule // in UTC, for all others
	words  [5]string         // what the fields were read from
	zone   *time.Location    // whose clock shows the fields' times
}

// String returns the spec.
func (s Schedule) String() string { return s.spec }

// Once returns the only slot of a schedule that has one, zero for any other schedule.
func (s Schedule) Once() time.Time { return s.at }

// horizon is how far ahead a slot is looked for: the 29th of February has come by then, even
// where a century has no leap day.
const horizon = 10 * 366 * 24 * time.Hour

// Next returns the first slot after an instant, in UTC. It is zero where there is none.
func (s Schedule) Next(after time.Time) time.Time {
	switch {
	case !s.at.IsZero():
		if s.at.After(after) {
			return s.at
		}
		return time.Time{}
	case s.every > 0:
		step := int64(s.every / time.Second)
		n := after.Unix() / step
		if after.Unix() < 0 && after.Unix()%step != 0 {
			n--
		}
		return time.Unix((n+1)*step, 0).UTC()
	case s.zone == nil:
		return time.Time{}
	}
	for from := after; from.Sub(after) < horizon; {
		slot, end := s.inPeriod(from)
		switch {
		case !slot.IsZero():
			return slot
		case !end.IsZero():
			from = end.Add(-time.Second)
		default:
			from = from.AddDate(4, 0, 0) // the library gives up after five years
		}
	}
	return time.Time{}
}

// everyHour is an hour field that leaves none out.
const everyHour = 1<<24 - 1

// inPeriod returns the first slot after from in the period in which the zone's clock keeps
// the offset that it has just after from, and that period's end, zero for never.
//
// The library is asked in UTC alone, which has neither gaps nor repetitions: on the days of
// a change by half an hour it would lose slots.
func (s Schedule) inPeriod(from time.Time) (slot, end time.Time) {
	local := from.Add(time.Second).In(s.zone)
	start, end := local.ZoneBounds()
	if !end.IsZero() && !end.After(local) {
		end = local.Add(24 * time.Hour) // it forgets the last day of leap years, on which no clock changes
	}
	offset := offsetOf(local)
	shown := from.UTC().Add(offset)
	if !start.IsZero() && s.fields.Hour&everyHour != everyHour {
		repeated := start.UTC().Add(offsetOf(start.Add(-time.Second)))
		shown = later(shown, repeated.Add(-time.Second))
	}
	next := s.fields.Next(shown)
	if next.IsZero() {
		return time.Time{}, end
	}
	slot = next.Add(-offset)
	if !end.IsZero() && !slot.Before(end) {
		return time.Time{}, end
	}
	return slot, end
}

func offsetOf(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// maxCounted bounds how many missed slots are counted one by one.
const maxCounted = 10_000

// newest returns the last slot up to an instant, and how many slots from first on came
// before it, maxCounted at most. first is a slot that is not after upto.
func (s Schedule) newest(first, upto time.Time) (slot time.Time, before int) {
	slot = first
	for before < maxCounted {
		next := s.Next(slot)
		if next.IsZero() || next.After(upto) {
			return slot, before
		}
		slot, before = next, before+1
	}
	return s.Prev(upto.Add(time.Second)), before // the clock leapt far: look from its end
}
