package scheduler

import "time"

const (
	// look is how often the wall clock is looked at, at least. Timers run on a clock that
	// stands still while the machine sleeps and knows nothing of a clock that is set.
	look = 30 * time.Second
	// lateness is by how much a run may be late and still count as on time.
	lateness = 2 * look
)

// maxSkipped bounds how many slots are remembered that came during one run.
const maxSkipped = 100

// track is what a Runner knows of one job. The Runner's lock guards it.
type track struct {
	name  string
	job   Job
	known bool // the ledger has been asked
	gone  bool // no job any more, but running still

	after   time.Time   // up to here slots are dealt with
	slot    time.Time   // the latest of those, zero for none
	current *run        // nil while the job does not run
	asked   chan Result // of who asked for a run that has not begun
	skipped []time.Time // slots that came while the job ran, for the ledger
	last    Result      // of the latest run that ended

	done    time.Time // when the job was last done, or need not have been
	excused time.Time // when the machine last awoke, or the job came: nothing could be done before
}

// run is one run of a job.
type run struct {
	job   Job
	slot  Slot
	began time.Time
	clock time.Time   // the same, on the clock that never leaps
	asked chan Result // of the caller that asked for it, may be nil

	claimed bool // a goroutine reports its end; the Runner's lock guards it
}

// begin starts a track after the last slot that the ledger knows.
func (t *track) begin(last, now time.Time) {
	t.known = true
	t.restart(now)
	if t.job.Schedule.Next(last.Add(-time.Second)).Equal(last) {
		t.slot = last
	}
	if last.Before(now) {
		t.after, t.done = last, last
	}
}

// restart forgets the slots up to now.
func (t *track) restart(now time.Time) {
	t.after, t.done, t.excused = now, now, now
}

// goBack follows a clock that went back.
func (t *track) goBack(now time.Time) {
	if t.after.After(now) {
		t.after = now
	}
	if t.done.After(now) {
		t.done = now
	}
	t.excused = now
}

// due returns the slot that is due, or else when one will be, zero for never. Of several
// it is the newest, and it stands for all: one whose delay is not over waits for its time,
// and those before it wait with it.
func (t *track) due(now time.Time, seed string) (slot Slot, at time.Time) {
	first := t.job.Schedule.Next(t.after)
	if first.IsZero() {
		return Slot{}, first
	}
	newest, missed := first, 0
	if !first.After(now) {
		newest, missed = t.job.Schedule.newest(first, now)
	}
	at = newest.Add(t.job.delay(newest, seed))
	if at.After(now) {
		return Slot{}, at
	}
	slot = Slot{Job: t.name, At: newest, Reason: Scheduled, Missed: missed}
	if now.Sub(at) > lateness {
		slot.Reason = CaughtUp
	}
	return slot, at
}

// skip notes a slot that came while the job ran.
func (t *track) skip(slot time.Time) {
	if len(t.skipped) == maxSkipped {
		t.skipped = t.skipped[1:]
	}
	t.skipped = append(t.skipped, slot)
}

// refuse tells who asked for a run that there will be none.
func (t *track) refuse(why error) {
	if t.asked != nil {
		t.asked <- Result{Slot: Slot{Job: t.name, Reason: Triggered}, Outcome: Interrupted, Err: why}
		t.asked = nil
	}
}

// deadline returns by when the job ought to have been done once more, zero for never.
func (t *track) deadline(seed string, slack time.Duration) time.Time {
	next := t.job.Schedule.Next(t.done)
	if next.IsZero() {
		return next
	}
	due := later(next.Add(t.job.delay(next, seed)), t.excused.Add(t.job.Jitter))
	if t.current != nil {
		due = due.Add(t.job.Timeout)
	}
	return due.Add(slack)
}
