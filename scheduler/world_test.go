package scheduler

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// world is a machine with a clock of its own: the bubble's time, from another start, which
// can be made to leap.
type world struct {
	t      testing.TB
	begins time.Time // on the machine's clock
	since  time.Time // the same on the bubble's
	leapt  atomic.Int64
	looks  atomic.Int64

	mu     sync.Mutex
	events []Event
	ran    []Slot
}

// inWorld runs a test in a bubble with a clock that begins at an instant.
func inWorld(t *testing.T, begins string, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, &world{t: t, begins: instant(t, begins), since: time.Now()})
	})
}

func (w *world) now() time.Time {
	w.looks.Add(1)
	return w.begins.Add(time.Since(w.since)).Add(time.Duration(w.leapt.Load()))
}

// leap makes the clock leap.
func (w *world) leap(by time.Duration) { w.leapt.Add(int64(by)) }

// pass lets time go by until nothing more happens before an instant on the clock.
func (w *world) pass(until string) {
	w.t.Helper()
	time.Sleep(instant(w.t, until).Sub(w.now()))
	synctest.Wait()
}

func (w *world) told(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// kinds lists what was told, but for starts and ends.
func (w *world) kinds(but ...Kind) []Kind {
	w.mu.Lock()
	defer w.mu.Unlock()
	var kinds []Kind
	for _, e := range w.events {
		if !slices.Contains(append(but, EventStarted, EventFinished), e.Kind) {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// job is one that notes its slots.
func (w *world) job(name, spec string) Job {
	return Job{Name: name, Schedule: schedule(w.t, spec), CatchUp: true, Do: func(_ context.Context, slot Slot) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ran = append(w.ran, slot)
		return nil
	}}
}

// slots lists the slots that were run, and forgets them.
func (w *world) slots() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var slots []string
	for _, s := range w.ran {
		text := s.At.Format("01-02T15:04")
		if s.Reason != Scheduled {
			text += " " + string(s.Reason)
		}
		slots = append(slots, text)
	}
	w.ran = nil
	return slots
}

// ranThese compares the slots that were run with those wanted, and forgets them.
func (w *world) ranThese(want ...string) {
	w.t.Helper()
	if got := w.slots(); !slices.Equal(got, want) {
		w.t.Errorf("ran %q, want %q", got, want)
	}
}

// process is a Runner in a world, until its stop.
type process struct {
	*Runner
	world *world
	stop  func() error
}

func (w *world) start(o Options, jobs ...Job) *process {
	w.t.Helper()
	o.Now = w.now
	if o.Events == nil {
		o.Events = w.told
	}
	r, err := New(jobs, o)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	synctest.Wait()
	return &process{r, w, func() error {
		cancel()
		return <-done
	}}
}

// end stops the process, which is to be clean.
func (p *process) end() {
	p.world.t.Helper()
	if err := p.stop(); err != nil {
		p.world.t.Errorf("stop: %v", err)
	}
}

// outcomes lists what a ledger knows of a job's slots.
func outcomes(m *Memory, job string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, e := range m.slots[job][1:] { // the first says that the job was added
		all = append(all, e.slot.Format("15:04")+" "+e.outcome)
	}
	return all
}
