package notify

import (
	"slices"
	"time"
)

// story is what one recipient was told of one kind of event on one origin. Drift of each kind is
// a story of its own, so that stale pages that come and go never hold back an altered one.
type story struct {
	kind    Kind
	origin  string
	drift   string      // kinds of drift, with commas between
	touched time.Time   // by an event
	closed  time.Time   // when an episode last ended
	told    []time.Time // the messages of the last hour

	unsteady bool      // flapping: nothing is told until it is steady
	since    time.Time // when it began to flap
	last     Event     // the last that is held back
	changed  time.Time // when that came
	changes  int       // since
	hold     time.Duration
	settled  time.Time // when it was steady last
}

// An origin that flaps again and again must be steady for longer each time, up to longest
// times the damping, until it was steady for memory times the damping.
const (
	longest = 6
	memory  = 36
)

// begin notes that the story flaps, from an event on.
func (s *story) begin(e Event, now time.Time, damp time.Duration) {
	s.unsteady, s.since, s.changes = true, now, 1
	s.last, s.changed = e, now
	if s.settled.IsZero() || now.Sub(s.settled) > memory*damp {
		s.hold = 0
	}
	s.hold = max(damp, min(2*s.hold, longest*damp))
}

// reopens reports whether an episode that begins now follows soon on another.
func (s *story) reopens(now time.Time, damp time.Duration) bool {
	return !s.closed.IsZero() && now.Sub(s.closed) < damp
}

// room is the first moment from now on at which one more message keeps to so many an hour.
func (s *story) room(now time.Time, perHour int) time.Time {
	if len(s.told) < perHour {
		return now
	}
	return later(now, s.told[len(s.told)-perHour].Add(time.Hour))
}

// tell notes a message.
func (s *story) tell(now time.Time) {
	s.told = slices.DeleteFunc(s.told, func(t time.Time) bool { return now.Sub(t) > time.Hour })
	s.told = append(s.told, now)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
