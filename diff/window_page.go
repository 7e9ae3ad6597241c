package diff

import (
	"cmp"
	"slices"
	"time"

	"mirror/site"
)

// span is one request in time: it was asked, and its answer ended, that long after the
// watch began. The bytes of the answer were those of some instant in between.
type span struct{ asked, answered time.Duration }

// page is what a watch knows of one page at one origin: no more than its bounds need,
// however many answers there were.
type page struct {
	skipped bool  // the change does not touch the page at this origin
	start   start // what it showed before the watch began
	looked  bool  // it showed anything then
	left    bool  // an answer since was not new
	// olds are other bytes that it showed then. They count as old, at this origin.
	olds []site.Digest

	// oldBy is the end of the earliest old answer, where wasOld. turnedBy is the end of the
	// earliest new answer that proves a turn, where turned: one after which the page was new
	// and before which it was not.
	wasOld, turned  bool
	oldBy, turnedBy time.Duration

	after  time.Duration // start of the last request that answered old; 0 before any
	before time.Duration // end of the first answer that was new
	seen   bool          // before holds

	// denied is the end of the last answer that was not new; what confirms was asked later.
	denied time.Duration
	// confirms are new answers asked after denied, by their ends: the first needed, and as
	// many of the latest, in case that some old answer is told late.
	confirms []span

	reversals int
	armed     bool          // the next old answer that was asked after runEnd is a reversal
	runEnd    time.Duration // end of the first new answer since the last reversal
	newest    time.Duration // end of the last new answer

	asked time.Duration // start of the latest request that showed anything
	isNew bool          // what it showed

	reads reads
}

// start is what a page showed before a watch began.
type start int

const (
	startsUnknown start = iota // not requested, unknown bytes, or answers that differed
	startsOld
	startsNew
)

// look takes in what the page showed before the watch began.
func (p *page) look(shown start) {
	if p.looked && p.start != shown {
		shown = startsUnknown
	}
	p.start, p.looked = shown, true
}

// maxOlds bounds how many contents of before the watch are kept of a page.
const maxOlds = 8

// remember has bytes count as old.
func (p *page) remember(d site.Digest) {
	if len(p.olds) < maxOlds {
		p.olds = append(p.olds, d)
	}
}

// still reports whether the page was new before the watch began and never met as anything
// else since: it does not turn, as far as can be told. Where a page may turn back, or several
// caches answer, nothing can.
func (p *page) still(flaps bool) bool { return p.start == startsNew && !p.left && !flaps }

// old takes in an answer with old bytes.
func (p *page) old(s span) {
	if !p.wasOld || s.answered < p.oldBy {
		p.oldBy, p.wasOld = s.answered, true
	}
	p.after = max(p.after, s.asked)
	p.deny(s)
	p.latest(s, false)
	if p.armed && s.asked > p.runEnd {
		p.reversals++
		p.armed, p.runEnd = p.newest > s.asked, p.newest
	}
}

// new takes in an answer with new bytes; needed is how many confirm.
func (p *page) new(s span, needed int) {
	if (p.start == startsOld || p.wasOld && s.asked >= p.oldBy) && (!p.turned || s.answered < p.turnedBy) {
		p.turnedBy, p.turned = s.answered, true
	}
	if !p.seen || s.answered < p.before {
		p.before, p.seen = s.answered, true
	}
	p.latest(s, true)
	p.newest = max(p.newest, s.answered)
	switch {
	case s.answered < p.after: // a reversal that is told late
		p.reversals = max(p.reversals, 1)
	case !p.armed || s.answered < p.runEnd:
		p.armed, p.runEnd = true, s.answered
	}
	if s.asked >= p.denied {
		p.confirm(s, needed)
	}
}

// deny takes in an answer that was not new: only what was asked after its end confirms.
func (p *page) deny(s span) {
	p.left = true
	p.denied = max(p.denied, s.answered)
	p.confirms = slices.DeleteFunc(p.confirms, func(c span) bool { return c.asked < p.denied })
}

func (p *page) confirm(s span, needed int) {
	i, _ := slices.BinarySearchFunc(p.confirms, s, func(a, b span) int { return cmp.Compare(a.answered, b.answered) })
	p.confirms = slices.Insert(p.confirms, i, s)
	if len(p.confirms) <= 2*needed {
		return
	}
	drop := needed
	for i := needed; i < len(p.confirms); i++ {
		if p.confirms[i].asked < p.confirms[drop].asked {
			drop = i
		}
	}
	p.confirms = slices.Delete(p.confirms, drop, drop+1)
}

func (p *page) latest(s span, isNew bool) {
	if s.asked >= p.asked {
		p.asked, p.isNew = s.asked, isNew
	}
}

func (p *page) settled(needed int) bool { return len(p.confirms) >= needed }

// flapped reports whether some old answer was asked for after a new one had ended: no
// single switch explains that.
func (p *page) flapped() bool {
	return p.seen && p.after > p.before || p.start == startsNew && p.wasOld
}

// allNew bounds the instant since when the page is new, ok where it has an upper bound.
// Where the page may turn back, an early new answer bounds nothing, nor does a single one
// where several caches answer: the last of those needed does, for all that they met.
func (p *page) allNew(flaps bool, needed int) (after, before time.Duration, ok bool) {
	switch {
	case !flaps && !p.returns():
		return p.after, p.before, p.seen
	case p.settled(needed):
		return p.after, p.confirms[needed-1].answered, true
	}
	return p.after, 0, false
}

// firstNew bounds from below the instant at which the page first was new. Where it may
// turn back, an old answer does not prove that it had not been new.
func (p *page) firstNew(flaps bool) time.Duration {
	if flaps || p.returns() {
		return 0
	}
	return p.after
}

// returns reports whether the page was new before the watch began and met as something else
// since.
func (p *page) returns() bool { return p.start == startsNew && p.left }
