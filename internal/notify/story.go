package notify

import (
	"slices"
	"time"
)

// story is what one recipient was told of one kind of event on one origin. Drift of each kind is
// a story of its own, so that stale pages that come and go never hold back an altered one. Its
// fields are kept as JSON, so that a restart changes nothing.
type story struct {
	Kind    Kind
	Origin  string
	Drift   string      // kinds of drift, with commas between
	Touched time.Time   // by an event
	Closed  time.Time   // when an episode last ended
	Told    []time.Time // the messages of the last hour, also one that is being sent
	Worst   extent      // the worst that was told of the present episode, or while it flaps

	Unsteady bool      // flapping: nothing is told until it is steady
	Since    time.Time // when it began to flap
	Last     Event     // the last that is held back
	Changed  time.Time // when that came
	Changes  int       // since
	Hold     time.Duration
	Settled  time.Time // when it was steady last
}

// An origin that flaps again and again must be steady for longer each time, up to longest
// times the damping, until it was steady for memory times the damping.
const (
	longest = 6
	memory  = 36
)

// extent is how bad an event is.
type extent struct {
	Severity Severity // "" for what is not known
	Pages    int
}

func extentOf(e Event) extent { return extent{e.Severity, pagesOf(e)} }

// muchWorse is how many times as many pages are told of again.
const muchWorse = 10

// worse reports whether an event is so much worse than what was told that it is told at once.
func (s *story) worse(e Event) bool {
	if s.Worst.Severity == "" || e.closes() {
		return false
	}
	return rank(e.Severity) > rank(s.Worst.Severity) || s.Worst.Pages > 0 && pagesOf(e) >= muchWorse*s.Worst.Pages
}

// note takes what is told of an event into the worst.
func (s *story) note(e Event) {
	if rank(e.Severity) >= rank(s.Worst.Severity) {
		s.Worst.Severity = e.Severity
	}
	s.Worst.Pages = max(s.Worst.Pages, pagesOf(e))
}

// begin notes that the story flaps, from an event on.
func (s *story) begin(e Event, now time.Time, damp time.Duration) {
	s.Unsteady, s.Since, s.Changes = true, now, 1
	s.Last, s.Changed = e, now
	if s.Settled.IsZero() || now.Sub(s.Settled) > memory*damp {
		s.Hold = 0
	}
	s.Hold = max(damp, min(2*s.Hold, longest*damp))
}

// reopens reports whether an episode that begins now follows soon on another.
func (s *story) reopens(now time.Time, damp time.Duration) bool {
	return !s.Closed.IsZero() && now.Sub(s.Closed) < damp
}

// room is the first moment from now on at which one more message keeps to so many an hour.
func (s *story) room(now time.Time, perHour int) time.Time {
	if len(s.Told) < perHour {
		return now
	}
	return later(now, s.Told[len(s.Told)-perHour].Add(time.Hour))
}

// tell notes a message.
func (s *story) tell(now time.Time) {
	s.Told = slices.DeleteFunc(s.Told, func(t time.Time) bool { return now.Sub(t) > time.Hour })
	s.Told = append(s.Told, now)
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
