package diff_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
)

// steadyWorld makes the number stand for a world of origins that turn each page once, and
// were looked at before: what every page showed then is known.
func steadyWorld(number uint64) *world {
	for {
		w := newWorld(number)
		if !slices.ContainsFunc(w.places, func(p *place) bool { return !p.steady || p.unequal || p.startsBroken() }) {
			for i, p := range w.places {
				trouble := p.trouble
				p.trouble = 0
				for _, a := range w.looks(i) {
					w.tell(a)
				}
				p.looked, p.trouble = false, trouble
			}
			return w
		}
		number += 1 << 32
	}
}

func (p *place) startsBroken() bool {
	return slices.ContainsFunc(p.edges[0], func(turns []turn) bool { return edge{turns}.at(0, 0).state == broken })
}

// brackets returns, from what the requests truly met, the two instants between which the
// page must have turned: it is the width of the polls' gap around its edge.
func (w *world) brackets(place, page int) (b between) {
	b.before = never
	for _, a := range w.told {
		switch {
		case a.place != place || a.page != page || !a.showed || a.turn.state == broken || a.answered < 0:
		case a.turn.state.reached():
			b.before = min(b.before, a.answered)
		default:
			b.after = max(b.after, a.asked)
		}
	}
	return b
}

// TestWindowIsAsTightAsItsPolls holds the bounds against the gaps between the polls around
// the first edge and the last one, and shows that no tighter bounds would be sound.
func TestWindowIsAsTightAsItsPolls(t *testing.T) {
	worlds := scaled(20_000)
	everyWorld(worlds, func(number uint64) {
		w := steadyWorld(number)
		for _, a := range w.requests() {
			startsNew := w.places[a.place].edges[0].at(a.page, 0).state.reached()
			if a.showed || a.answered >= 0 && !startsNew { // else what was there before is in doubt
				w.tell(a)
			}
		}
		if win := w.watch.Window(); win.Closed {
			if err := w.judgeWidth(win); err != nil {
				t.Errorf("world %d: %v", number, err)
			}
		}
	})
}

func (w *world) judgeWidth(win diff.Window) error {
	var all []between
	for place := range w.places {
		for page := range w.changes {
			if w.places[place].edges[0].firstTurn(page) != never {
				all = append(all, w.brackets(place, page))
			}
		}
	}
	if len(all) == 0 {
		return nothing(win)
	}
	first, last := all[0], all[0]
	for _, b := range all {
		if b.after < first.after {
			first = b
		}
		if b.before > last.before {
			last = b
		}
	}
	if gaps := width(first) + width(last); win.Upper-win.Lower > gaps {
		return fmt.Errorf("[%v, %v] is wider than the gaps around its edges, %v", win.Lower, win.Upper, gaps)
	}
	if shortest := extremes(all, false); win.Lower != shortest {
		return fmt.Errorf("lower %v, but pages that turn over %v explain every answer", win.Lower, shortest)
	}
	if longest := extremes(all, true); first != last && win.Upper != longest {
		return fmt.Errorf("upper %v, but pages that turn over %v explain every answer", win.Upper, longest)
	}
	return nil
}

// nothing is the window where no page turns.
func nothing(win diff.Window) error {
	if win.Lower != 0 || win.Upper != 0 {
		return fmt.Errorf("[%v, %v], but no page turns", win.Lower, win.Upper)
	}
	return nil
}

func width(b between) time.Duration { return b.before - b.after }

// extremes lets every page turn at an instant of its own that its answers allow, as far
// apart as they can be or as close, and returns how far apart that is.
func extremes(all []between, apart bool) time.Duration {
	var latest time.Duration // of the instants that no page can have turned before
	first, last := 0, 0
	for i, b := range all {
		latest = max(latest, b.after)
		if b.after < all[first].after {
			first = i
		}
		if b.before > all[last].before {
			last = i
		}
	}
	from, to := never, time.Duration(0)
	for i, b := range all {
		turned := min(latest, b.before)
		switch {
		case apart && i == last:
			turned = b.before
		case apart && i == first:
			turned = b.after
		}
		from, to = min(from, turned), max(to, turned)
	}
	return to - from
}

// TestWindowIsAsTightAsItsBudget polls as a watch does that may send so many requests a
// second: the pages in turn, and no longer those that are settled.
func TestWindowIsAsTightAsItsBudget(t *testing.T) {
	worlds := scaled(5_000)
	var closed atomic.Uint64
	everyWorld(worlds, func(number uint64) {
		w := steadyWorld(number)
		gap, rtt := w.upTo(20*time.Millisecond)+time.Millisecond, w.upTo(10*time.Millisecond)
		for place, p := range w.places {
			p.mend()
			w.poll(place, gap, rtt)
		}
		win := w.watch.Window()
		if win.Closed {
			closed.Add(1)
		}
		most := 2 * (rtt + time.Duration(len(w.changes))*gap + 2*w.grain)
		if win.Closed && win.Upper-win.Lower > most {
			t.Errorf("world %d: [%v, %v] at a request every %v, answered within %v, of %d pages", number, win.Lower, win.Upper, gap, rtt, len(w.changes))
		}
	})
	if closed.Load() < worlds/2 {
		t.Errorf("only %d of %d windows closed", closed.Load(), worlds)
	}
}

// mend lets a place always serve one side or the other.
func (p *place) mend() {
	for _, e := range p.edges {
		for page := range e {
			e[page] = slices.DeleteFunc(e[page], func(t turn) bool { return t.at > 0 && t.state == broken })
		}
	}
}

// poll asks for the pending pages in turn, one each gap, until none is left or the time is up.
func (w *world) poll(place int, gap, rtt time.Duration) {
	name, next := w.places[place].name, 0
	for at := time.Duration(0); at < 2*w.span && !w.watch.Settled(name); at += gap {
		for !w.pending(place, next%len(w.changes)) {
			next++
		}
		answered := at + w.upTo(rtt)
		w.tell(w.ask(place, next%len(w.changes), 0, at, at+w.upTo(answered-at), answered))
		next++
	}
}

func (w *world) pending(place, page int) bool {
	return slices.Contains(w.watch.Pending(w.places[place].name), w.changes[page].Path)
}
