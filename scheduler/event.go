package scheduler

import "time"

// Kind is what an Event tells of.
type Kind string

// The kinds.
const (
	EventStarted    Kind = "started"
	EventFinished   Kind = "finished"   // the Result is set, whatever the outcome
	EventPanicked   Kind = "panicked"   // a finished with the same error follows
	EventSkipped    Kind = "skipped"    // the slot came while the job ran, or the ledger knew it
	EventMissed     Kind = "missed"     // slots passed while nothing ran here
	EventStepped    Kind = "stepped"    // the clock was set, or the machine slept: see By
	EventUnrecorded Kind = "unrecorded" // the ledger failed; the job runs nevertheless
)

// Event is something that a log would say of a runner.
type Event struct {
	Kind   Kind
	Time   time.Time
	Slot   Slot // without EventStepped
	Result Result
	Err    error
	By     time.Duration // how far the clock leapt; negative for back
}
