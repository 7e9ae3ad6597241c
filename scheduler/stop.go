package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// stop waits for the jobs that run, whose context has ended.
func (r *Runner) stop(ctx context.Context) error {
	r.enter(stopped, running)
	r.mu.Lock()
	for _, t := range r.tracks {
		t.refuse(ErrStopped)
	}
	r.mu.Unlock()
	timer := time.NewTimer(r.options.Grace)
	defer timer.Stop()
	for len(r.busy()) > 0 {
		select {
		case <-r.wake:
		case <-timer.C:
			return r.abandon(ctx)
		}
	}
	return nil
}

// busy lists the runs that go on.
func (r *Runner) busy() []*run {
	r.mu.Lock()
	defer r.mu.Unlock()
	var busy []*run
	for _, t := range r.tracks {
		if t.current != nil {
			busy = append(busy, t.current)
		}
	}
	return busy
}

// abandon records those runs as interrupted that go on though they were told to stop.
// Whatever they still do is not heard of.
func (r *Runner) abandon(ctx context.Context) error {
	var names []string
	for _, run := range r.busy() {
		names = append(names, run.slot.Job)
		if r.claim(run) {
			run.answer(r.report(ctx, run, Result{Outcome: Interrupted, Err: context.Cause(ctx)}))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("scheduler: %w within %s: %s", ErrStuck, r.options.Grace, strings.Join(names, ", "))
}
