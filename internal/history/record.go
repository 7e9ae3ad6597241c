package history

import (
	"time"

	"mirror/diff"
	"mirror/site"
)

// Check is one check of the origins, as it is remembered.
type Check struct {
	ID      int64
	Job     string // that ran it; "" for a person
	Started time.Time
	Elapsed time.Duration
	Release site.ID // that the origins were compared with
	Pages   int
	// Partial says that not everything was looked at or counted, as with a sample, with some
	// of the targets, or with tolerance: the check is remembered, and says nothing of
	// episodes and days.
	Partial bool
	Err     string // why there is no verdict; then there are no origins
	Origins []diff.OriginState
}

// Episode is a time for which an origin drifted in one way: it has one row, however many
// checks saw it.
type Episode struct {
	ID     int64
	Origin string
	Kind   diff.Kind // unreachable also where the whole origin could not be seen
	// Between LastGood and Opened it began: the check that did not see it yet (zero where
	// there is none) and the first that did. Between LastSeen and Closed it ended: the last
	// check that saw it, and the first that did not (zero while it lasts).
	LastGood, Opened, LastSeen, Closed time.Time
	Pages                              int      // that differ, as last seen
	MostPages                          int      // at any time
	Paths                              []string // the first of them
	Release                            site.ID  // that the bytes are of, where one is known
	Detail                             string   // for people
	Excerpt                            string   // how the first page differs, as lines of a unified diff; "" where nobody looked
	URL                                string   // of the first page
}

// Changes is what a check changed about the episodes.
type Changes struct {
	Opened, Changed, Closed []Episode
}

// Publish is one publish, as it is remembered.
type Publish struct {
	ID       int64
	Job      string // that ran it; "" for a person
	Started  time.Time
	Elapsed  time.Duration
	Outcome  string // as in the publish's JSON document
	Release  site.ID
	Previous site.ID
	Files    int
	Sent     int64        // bytes
	Window   *diff.Window // nil where nobody watched
	Err      string
}

// Run is one run of a job of the daemon.
type Run struct {
	Job  string
	Slot time.Time // that it was for, the key of its being run once
	// Triggered says that it is of no slot of the schedule: somebody asked for it, or a folder
	// changed. Its Slot is when that was.
	Triggered bool
	Started   time.Time
	Elapsed   time.Duration // zero while it runs
	Outcome   string        // "" while it runs
	Err       string
	Log       string // the end of what it printed
}
