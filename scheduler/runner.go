package scheduler

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// recording is how long the ledger may take to note an end when everything stops.
	recording = 2 * time.Second

	defaultGrace   = 5 * time.Second
	defaultOverdue = 5 * time.Minute
)

// Options are what a Runner works with. The zero Options will do.
type Options struct {
	// Ledger remembers slots across restarts. Without one they are forgotten with the Runner.
	Ledger Ledger
	// Events is told what happens, from several goroutines at once. It must not block.
	Events func(Event)
	// Grace is how long Run waits for running jobs when it is to stop, 0 for 5 s.
	Grace time.Duration
	// Overdue is how late a job may be done before it counts as overdue, 0 for 5 min.
	Overdue time.Duration
	// Turn waits until this process may run a slot, and reports whether it is to. It is called before the ledger is
	// asked, and may take long. Nil for always.
	Turn func(ctx context.Context, slot Slot) bool
	// Seed makes the jitter differ from that of other machines with the same jobs.
	Seed string
	// Now is the wall clock, time.Now unless set. A test sets it, since the time of
	// testing/synctest never leaps.
	Now func() time.Time
}

// Runner runs jobs. Its methods are safe for concurrent use.
type Runner struct {
	options Options
	wake    chan struct{} // holds one call to look again

	mu      sync.Mutex
	phase   phase
	tracks  []*track // in the order of the jobs, those that are to go at the end
	wall    time.Time
	elapsed time.Time // when wall was read, on the clock that never leaps
}

type phase int

const (
	idle phase = iota
	running
	stopped
)

// enter changes the phase, and reports whether it was the expected one.
func (r *Runner) enter(next, from phase) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase != from {
		return false
	}
	r.phase = next
	return true
}

// now reads the wall clock.
func (r *Runner) now() time.Time { return r.options.Now().Round(0).UTC() }

// nudge lets Run look again at once.
func (r *Runner) nudge() {
	select {
	case r.wake <- struct{}{}:
	default: // it is going to
	}
}

func (r *Runner) emit(events ...Event) {
	for _, e := range events {
		if r.options.Events != nil {
			r.options.Events(e)
		}
	}
}

// find returns the track of a job, nil for none.
func (r *Runner) find(job string) *track {
	for _, t := range r.tracks {
		if t.name == job {
			return t
		}
	}
	return nil
}

// drop forgets a track.
func (r *Runner) drop(t *track) {
	r.tracks = slices.DeleteFunc(slices.Clone(r.tracks), func(other *track) bool { return other == t })
}
