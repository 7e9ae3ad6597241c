package notify

import "time"

// Change is what a message tells of an episode.
type Change string

// The changes that are told.
const (
	Opened   Change = "opened"
	Closed   Change = "closed"
	Worse    Change = "worse"    // goes on, and is much worse than was told
	Passed   Change = "passed"   // opened and closed before a message was sent
	Flapping Change = "flapping" // opened again soon after it closed; more is told when it is steady
	Settled  Change = "settled"  // steady after flapping, open or closed
)

// News is one part of a message: what happened to one episode.
type News struct {
	Change Change
	Event  Event
	// Changes counts how often it opened and closed while nothing was told, and Since says
	// since when, for what has settled.
	Changes int
	Since   time.Time
	// Steady is how long it must be steady to be told of again, for what flaps.
	Steady time.Duration
}
