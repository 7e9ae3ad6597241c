package scheduler

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Job is something to do at the slots of a schedule.
type Job struct {
	Name     string // tells it from the others
	Schedule Schedule
	// Timeout is how long one run may take, 0 for no limit. When it is over the run's
	// context is cancelled, with a cause that is ErrTimeout.
	Timeout time.Duration
	// Jitter is by how much a run may be put off. The delay is the same for a slot each time
	// it is worked out, and always ends before the next slot.
	Jitter time.Duration
	// CatchUp says that slots missed while nothing ran here are made up for, by one run.
	CatchUp bool
	// Do is the work. It may be called in any goroutine, but never twice at a time.
	Do func(ctx context.Context, slot Slot) error
}

// Reason is why a job runs.
type Reason string

// The reasons.
const (
	Scheduled Reason = "scheduled"
	CaughtUp  Reason = "caught up" // later than it should have been
	Triggered Reason = "triggered" // asked for
)

// Slot is one turn of a job.
type Slot struct {
	Job string
	// At is the instant that the schedule names, in UTC; with Triggered, when it was asked for.
	At     time.Time
	Reason Reason
	// Missed is how many slots before this one it stands for, 10,000 at most.
	Missed int
}

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Done        Outcome = "done"
	Failed      Outcome = "failed"      // the job returned an error
	Panicked    Outcome = "panicked"    // the error is a *PanicError
	TimedOut    Outcome = "timed out"   // the error is ErrTimeout
	Interrupted Outcome = "interrupted" // the runner was stopped
	Skipped     Outcome = "skipped"     // not begun: the job was running still
	Repeated    Outcome = "repeated"    // not begun: the ledger knew the slot
	Added       Outcome = "added"       // no run: the ledger learns from when on there is the job
)

// Result is how one run went.
type Result struct {
	Slot    Slot
	Outcome Outcome
	Err     error
	Began   time.Time
	Took    time.Duration
}

var (
	// ErrTimeout is in the error of a run that took longer than its job's timeout.
	ErrTimeout = errors.New("timed out")
	// ErrRunning means that the job is running, or asked to.
	ErrRunning = errors.New("the job is running")
	// ErrUnknown means that there is no such job.
	ErrUnknown = errors.New("no such job")
	// ErrStopped means that the runner is not running.
	ErrStopped = errors.New("the scheduler is not running")
	// ErrStuck means that a job went on after it was told to stop.
	ErrStuck = errors.New("a job did not stop")
)

// PanicError is a panic of a job.
type PanicError struct {
	Value any // what it panicked with
	Stack []byte
}

// Error returns what the job panicked with, and where.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// delay returns by how much a slot is put off. Another seed gives other delays.
func (j Job) delay(slot time.Time, seed string) time.Duration {
	if j.Jitter <= 0 {
		return 0
	}
	span := j.Jitter
	if next := j.Schedule.Next(slot); !next.IsZero() {
		span = min(span, next.Sub(slot))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d", seed, j.Name, slot.Unix()))
	return time.Duration(binary.BigEndian.Uint64(sum[:]) % uint64(span))
}

// check tells of jobs that cannot be.
func check(jobs []Job) error {
	seen := map[string]bool{}
	for _, j := range jobs {
		switch {
		case j.Name == "":
			return errors.New("scheduler: a job has no name")
		case seen[j.Name]:
			return fmt.Errorf("scheduler: two jobs are called %q", j.Name)
		case j.Do == nil:
			return fmt.Errorf("scheduler: job %q has nothing to do", j.Name)
		}
		seen[j.Name] = true
	}
	return nil
}
