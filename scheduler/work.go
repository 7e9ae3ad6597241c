package scheduler

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// work does one run in a goroutine of its own, and reports it whatever becomes of it.
func (r *Runner) work(ctx context.Context, t *track, run *run) {
	result := Result{Outcome: Panicked, Err: &PanicError{Value: "the job ended its goroutine"}}
	defer func() { // also after runtime.Goexit
		if r.claim(run) {
			result = r.report(ctx, run, result)
			r.settle(ctx, t, run, result)
		}
	}()
	result = r.attempt(ctx, run)
}

// attempt does the job, if the slot is a new one.
func (r *Runner) attempt(ctx context.Context, run *run) Result {
	if run.slot.Reason != Triggered {
		if r.options.Turn != nil && !r.options.Turn(ctx, run.slot) && ctx.Err() == nil {
			return Result{Outcome: Repeated}
		}
		fresh, err := r.options.Ledger.Begin(ctx, run.slot.Job, run.slot.At)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.unrecorded(run.slot, err)
		case !fresh:
			return Result{Outcome: Repeated}
		}
	}
	if ctx.Err() != nil {
		return Result{Outcome: Interrupted, Err: context.Cause(ctx)}
	}
	r.emit(Event{Kind: EventStarted, Time: r.now(), Slot: run.slot})
	if run.job.Timeout > 0 {
		var cancel context.CancelFunc
		cause := fmt.Errorf("%w after %s", ErrTimeout, run.job.Timeout)
		ctx, cancel = context.WithTimeoutCause(ctx, run.job.Timeout, cause)
		defer cancel()
	}
	return resultOf(ctx, call(ctx, run))
}

// call does the job and contains its panic.
func call(ctx context.Context, run *run) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return run.job.Do(ctx, run.slot)
}

// resultOf says what a job's error means, by what became of its context.
func resultOf(ctx context.Context, err error) Result {
	var panicked *PanicError
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return Result{Outcome: Done}
	case errors.As(err, &panicked):
		return Result{Outcome: Panicked, Err: err}
	case errors.Is(cause, ErrTimeout):
		return Result{Outcome: TimedOut, Err: fmt.Errorf("%w: %w", cause, err)}
	case cause != nil:
		return Result{Outcome: Interrupted, Err: err}
	}
	return Result{Outcome: Failed, Err: err}
}

// claim reports whether the caller is the first to speak of a run's end.
func (r *Runner) claim(run *run) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := !run.claimed
	run.claimed = true
	return first
}

// report tells the ledger and the log how a run went.
func (r *Runner) report(ctx context.Context, run *run, result Result) Result {
	result.Slot, result.Began, result.Took = run.slot, run.began, time.Since(run.clock)
	event := Event{Kind: EventFinished, Time: r.now(), Slot: run.slot, Result: result, Err: result.Err}
	switch {
	case result.Outcome == Repeated:
		event.Kind = EventSkipped
	case result.Outcome == Panicked:
		panicked := event
		panicked.Kind = EventPanicked
		r.emit(panicked)
	}
	if run.slot.Reason != Triggered && result.Outcome != Repeated {
		r.end(ctx, run.slot, result.Outcome)
	}
	r.emit(event)
	return result
}

// answer gives the result to who asked for the run.
func (run *run) answer(result Result) {
	if run.asked != nil && result.Outcome != Repeated {
		run.asked <- result
	}
}

// settle notes the slots that came during a run, and ends it.
func (r *Runner) settle(ctx context.Context, t *track, run *run, result Result) {
	for skipped := r.leave(t, run, result); len(skipped) > 0; skipped = r.leave(t, run, result) {
		for _, at := range skipped {
			r.write(ctx, Slot{Job: t.name, At: at, Reason: Scheduled}, Skipped)
		}
	}
	run.answer(result)
	r.nudge()
}

// leave ends a run, or returns the slots that came during it and are to be noted first.
func (r *Runner) leave(t *track, run *run, result Result) (skipped []time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if skipped, t.skipped = t.skipped, nil; len(skipped) > 0 {
		return skipped
	}
	t.current = nil
	switch result.Outcome {
	case Repeated:
		t.done, t.asked = r.now(), run.asked // who asked did not ask for this slot
	case Done:
		t.done = r.now()
		t.last = result
	default:
		t.last = result
	}
	if t.gone {
		t.refuse(ErrUnknown)
		r.drop(t)
	}
	if r.phase == stopped {
		t.refuse(ErrStopped)
	}
	return nil
}
