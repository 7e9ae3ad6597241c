package scheduler

import (
	"context"
	"errors"
	"time"
)

// New returns a Runner of some jobs, which Run starts.
func New(jobs []Job, o Options) (*Runner, error) {
	if o.Ledger == nil {
		o.Ledger = &Memory{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.Overdue == 0 {
		o.Overdue = defaultOverdue
	}
	r := &Runner{options: o, wake: make(chan struct{}, 1)}
	return r, r.Replace(jobs)
}

// Run runs the jobs until ctx ends. Then it cancels those that are running and waits for
// them, for Grace at most, and returns nil, or ErrStuck with the names of those that went
// on. Runs that did not come to their end are recorded as interrupted. It is called once.
func (r *Runner) Run(ctx context.Context) error {
	if !r.enter(running, idle) {
		return errors.New("scheduler: Run is called once")
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-r.wake:
		}
		if ctx.Err() != nil {
			return r.stop(ctx)
		}
		r.recall(ctx)
		timer.Reset(r.turn(ctx))
	}
}

// recall asks the ledger for the last slots of jobs that are new here.
func (r *Runner) recall(ctx context.Context) {
	r.mu.Lock()
	var unknown []*track
	for _, t := range r.tracks {
		if !t.known {
			unknown = append(unknown, t)
		}
	}
	r.mu.Unlock()
	for _, t := range unknown {
		now := r.now()
		last := r.lastSlot(ctx, t.name, now)
		r.mu.Lock()
		t.begin(last, now)
		r.mu.Unlock()
	}
}

// turn starts what is due and returns how long nothing else will be.
func (r *Runner) turn(ctx context.Context) time.Duration {
	r.mu.Lock()
	now := r.now()
	events := r.detectLeap(now)
	wait := look
	for _, t := range r.tracks {
		told, next := r.advance(ctx, t, now)
		events = append(events, told...)
		if !next.IsZero() {
			wait = min(wait, next.Sub(now))
		}
	}
	r.mu.Unlock()
	r.emit(events...)
	return wait
}

// detectLeap notices a clock that leapt. Where it went back, slots come again: those that have
// run are known to the ledger, and those that were leapt over get their turn.
func (r *Runner) detectLeap(now time.Time) []Event {
	before, since := r.wall, time.Since(r.elapsed)
	r.wall, r.elapsed = now, time.Now()
	if before.IsZero() {
		return nil
	}
	leap := now.Sub(before) - since
	for _, t := range r.tracks {
		if now.Before(before) {
			t.goBack(now)
		}
		if leap > lateness {
			t.excused = now
		}
	}
	if leap.Abs() < time.Second {
		return nil
	}
	return []Event{{Kind: EventStepped, Time: now, By: leap}}
}

// advance deals with the slots of one job up to now, and returns when to come back, zero
// for never.
func (r *Runner) advance(ctx context.Context, t *track, now time.Time) (events []Event, next time.Time) {
	if t.gone || !t.known {
		return nil, time.Time{}
	}
	for {
		slot, due := t.due(now, r.options.Seed)
		if slot.At.IsZero() {
			next = due
			break
		}
		events = append(events, r.take(ctx, t, slot, now)...)
	}
	if t.asked != nil && t.current == nil {
		r.start(ctx, t, Slot{Job: t.name, At: now, Reason: Triggered})
	}
	return events, next
}

// take runs a slot that is due, unless the job runs already or the slot is to be passed over.
func (r *Runner) take(ctx context.Context, t *track, slot Slot, now time.Time) []Event {
	t.after, t.slot = slot.At, slot.At
	var events []Event
	passed := slot.Reason == CaughtUp && !t.job.CatchUp
	if slot.Missed > 0 || passed {
		told := slot
		if passed {
			told.Missed++
			t.done = now
		}
		events = append(events, Event{Kind: EventMissed, Time: now, Slot: told})
	}
	switch {
	case passed:
	case t.current == nil:
		r.start(ctx, t, slot)
	case !t.current.slot.At.Equal(slot.At): // else the clock went back to where its run began
		t.skip(slot.At)
		skipped := Result{Slot: slot, Outcome: Skipped, Err: ErrRunning}
		events = append(events, Event{Kind: EventSkipped, Time: now, Slot: slot, Result: skipped, Err: ErrRunning})
	}
	return events
}

// start runs a job's slot beside everything else. The caller holds the lock.
func (r *Runner) start(ctx context.Context, t *track, slot Slot) {
	t.current = &run{job: t.job, slot: slot, began: r.now(), clock: time.Now(), asked: t.asked}
	t.asked = nil
	go r.work(ctx, t, t.current)
}
