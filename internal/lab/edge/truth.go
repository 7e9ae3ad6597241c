package edge

import (
	"cmp"
	"crypto/sha256"
	"iter"
	"slices"
	"time"
)

// Instant is a moment known to lie between two, or at both where they are equal. It has
// the monotonic clock's reading.
type Instant struct{ Before, After time.Time }

// Turn is the truth about one change that visitors could see: a cache turned from one
// content of a file to the next. A request made after At.After got the new, one that was
// answered before At.Before got the old.
type Turn struct {
	Edge     int               // the cache, 0 where there are none; Behind for the origin behind them
	Path     string            // of the file, as in a manifest
	Old, New [sha256.Size]byte // of the content; zero where there is no file
	At       Instant
}

// Turns are turns in the order of time.
type Turns []Turn

// Since are those of the turns that may have happened at a time or after it.
func (t Turns) Since(at time.Time) Turns {
	return t.where(func(t Turn) bool { return !t.At.After.Before(at) })
}

// On are the turns of one cache.
func (t Turns) On(edge int) Turns { return t.where(func(t Turn) bool { return t.Edge == edge }) }

// To are the turns to a content.
func (t Turns) To(digest [sha256.Size]byte) Turns {
	return t.where(func(t Turn) bool { return t.New == digest })
}

func (t Turns) where(keep func(Turn) bool) Turns {
	var kept Turns
	for _, turn := range t {
		if keep(turn) {
			kept = append(kept, turn)
		}
	}
	return kept
}

// First is when the first turn happened, zero where there is none. Of one publish it is
// when something new could be seen.
func (t Turns) First() Instant {
	var first Instant
	for i, turn := range t {
		if i == 0 || turn.At.Before.Before(first.Before) {
			first.Before = turn.At.Before
		}
		if i == 0 || turn.At.After.Before(first.After) {
			first.After = turn.At.After
		}
	}
	return first
}

// Last is when the last turn happened, zero where there is none. Of one publish it is
// when nothing old could be seen any longer.
func (t Turns) Last() Instant {
	var last Instant
	for _, turn := range t {
		last.Before = later(last.Before, turn.At.Before)
		last.After = later(last.After, turn.At.After)
	}
	return last
}

// edition is one content of a file.
type edition struct {
	due
	noted  time.Time // when requests were sure to hear of it, which may be after it was due
	digest [sha256.Size]byte
}

// turns lists what has happened until now to files with these editions.
func (f *front) turns(files iter.Seq2[string, []edition], now time.Time) Turns {
	f.mu.Lock()
	epochs := slices.Clone(f.epochs)
	f.mu.Unlock()
	var all Turns
	for path, editions := range files {
		for i, e := range epochs {
			for _, edge := range e.all() {
				s := view{e.caches, edge, path, editions, e.filled(editions), nil}
				if i+1 == len(epochs) {
					s.watch(now)
				} else {
					next := epochs[i+1]
					s.watch(next.came)
					s.turn(next.filled(editions), Instant{next.came, next.met})
				}
				all = append(all, s.turns...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Turn) int {
		return cmp.Or(a.At.Before.Compare(b.At.Before), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Edge, b.Edge))
	})
	return all
}

// filled is the edition that caches were filled with when they came, -1 for none.
func (c *caches) filled(editions []edition) int {
	for i := len(editions) - 1; i >= 0; i-- {
		if !editions[i].from.After(c.came) {
			return i
		}
	}
	return -1
}

// view is what one cache shows of one file.
type view struct {
	*caches
	edge     int
	path     string
	editions []edition
	shown    int // the edition, -1 for none
	turns    Turns
}

// watch goes through the turns until a time.
func (s *view) watch(until time.Time) {
	type coming struct {
		edition int
		at      time.Time
	}
	var ahead []coming
	for i := s.shown + 1; i < len(s.editions); i++ {
		if at, ok := s.caches.turn(s.edge, s.editions[i].due); ok && !at.After(until) {
			ahead = append(ahead, coming{i, at})
		}
	}
	slices.SortFunc(ahead, func(a, b coming) int { // of several at one time only the last is seen
		return cmp.Or(a.at.Compare(b.at), b.edition-a.edition)
	})
	for _, c := range ahead {
		if c.edition > s.shown {
			s.turn(c.edition, Instant{c.at, later(c.at, s.editions[c.edition].noted)})
		}
	}
}

// turn shows another edition.
func (s *view) turn(edition int, at Instant) {
	if before, now := s.digest(s.shown), s.digest(edition); before != now {
		s.turns = append(s.turns, Turn{s.edge, s.path, before, now, at})
	}
	s.shown = edition
}

func (s *view) digest(edition int) [sha256.Size]byte {
	if edition < 0 {
		return [sha256.Size]byte{}
	}
	return s.editions[edition].digest
}
