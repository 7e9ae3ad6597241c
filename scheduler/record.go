package scheduler

import (
	"context"
	"fmt"
	"time"

	"mirror/internal/wait"
)

// lastSlot returns the last slot of a job that the ledger knows, or the time now, as it is from
// now on.
func (r *Runner) lastSlot(ctx context.Context, job string, now time.Time) time.Time {
	last, ok, err := r.options.Ledger.Last(ctx, job)
	switch {
	case ok && err == nil:
		return last
	case err != nil:
		r.emit(Event{Kind: EventUnrecorded, Time: now, Slot: Slot{Job: job}, Err: fmt.Errorf("look up the last slot of %s: %w", job, err)})
	default:
		now = now.Add(-time.Second).Truncate(time.Second) // a slot that is due just now is to run
		r.write(ctx, Slot{Job: job, At: now}, Added)
	}
	return now
}

// write notes a slot that is not run.
func (r *Runner) write(ctx context.Context, slot Slot, outcome Outcome) {
	within, cancel := wait.Outlive(ctx, recording)
	defer cancel()
	fresh, err := r.options.Ledger.Begin(within, slot.Job, slot.At)
	if err != nil {
		r.unrecorded(slot, err)
	}
	if fresh && err == nil {
		r.end(ctx, slot, outcome)
	}
}

// end notes how a slot went, also when everything is about to stop.
func (r *Runner) end(ctx context.Context, slot Slot, outcome Outcome) {
	ctx, cancel := wait.Outlive(ctx, recording)
	defer cancel()
	if err := r.options.Ledger.End(ctx, slot.Job, slot.At, string(outcome)); err != nil {
		r.unrecorded(slot, err)
	}
}

func (r *Runner) unrecorded(slot Slot, err error) {
	r.emit(Event{Kind: EventUnrecorded, Time: r.now(), Slot: slot, Err: fmt.Errorf("note slot %s of %s: %w", slot.At.Format(time.RFC3339), slot.Job, err)})
}
