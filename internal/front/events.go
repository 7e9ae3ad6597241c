package front

import (
	"time"

	"mirror/diff"
	"mirror/site"
)

// The kinds of event.
const (
	Restored  = "restored"  // what was served before the restart is served again
	Moved     = "moved"     // another release is served
	Trouble   = "origin"    // an origin does not serve the release, confirmed by a second look
	Recovered = "recovered" // it does again
	Waiting   = "waiting"   // no release is served yet
	Unproven  = "unproven"  // an origin claims a release whose manifest cannot be had
)

// Event is something that a front did or saw, as a line of JSON.
type Event struct {
	Schema   string    `json:"schema"` // mirror.front/v1
	Time     time.Time `json:"time"`
	Event    string    `json:"event"`
	Origin   string    `json:"origin,omitempty"`
	Release  site.ID   `json:"release,omitempty"`
	From     site.ID   `json:"from,omitempty"`
	Sequence int64     `json:"sequence,omitempty"`
	Rollback bool      `json:"rollback,omitempty"`
	Files    int       `json:"files,omitempty"`
	After    float64   `json:"after_ms,omitempty"` // of a move: since the answer that completed the quorum
	Kind     diff.Kind `json:"kind,omitempty"`     // of an origin's trouble: those of mirror check
	Path     string    `json:"path,omitempty"`
	Location string    `json:"location,omitempty"`
	Detail   string    `json:"detail,omitempty"`
}

// Schema is that of the events.
const Schema = "mirror.front/v1"
