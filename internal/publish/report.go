package publish

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
)

// Outcome is how a publish ended.
type Outcome string

// The outcomes of a publish.
const (
	Live       Outcome = "live"        // every origin serves the release
	Unchanged  Outcome = "unchanged"   // every origin served it before
	Diverged   Outcome = "diverged"    // committed, but some origin does not serve it yet
	Staged     Outcome = "staged"      // every destination holds it, and nothing was committed
	Failed     Outcome = "failed"      // nothing was committed
	RolledBack Outcome = "rolled_back" // every origin is on the old release again
	Mixed      Outcome = "mixed"       // some origins may be on another release than the rest
)

// Report is what a publish did.
type Report struct {
	Outcome  Outcome
	Release  site.ID
	Previous site.ID // live before on the first destination that had a release
	Rollback bool    // the release was live before
	Files    int
	Bytes    int64
	Targets  []*TargetReport
	Schedule []Step        // the commits, in their order
	Window   *diff.Window  // nil where the origins were not watched
	Verdict  *diff.Verdict // nil where the origins were not looked at
	Purges   []Purge       // of the caches before origins
	Erased   []Erasure     // files that were removed for good, for each destination
	// Warnings lists, for people, what failed without changing the outcome.
	Warnings []string
}

// Erasure says how files were removed from all that one destination keeps.
type Erasure struct {
	Name string
	Left []string // what may have them still, for people
	Err  error
}

// Committed reports whether a commit of any destination was begun.
func (r *Report) Committed() bool {
	return slices.ContainsFunc(r.Targets, func(t *TargetReport) bool { return !t.Committed.IsZero() })
}

// Warn adds a warning. It is not safe for concurrent use.
func (r *Report) Warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// TargetReport is what a publish did to one destination.
type TargetReport struct {
	Name, Kind string
	Plan       targets.Plan
	SentFiles  int
	SentBytes  int64
	Stage      time.Duration
	Commit     time.Duration
	Began      time.Time // of the commit
	Committed  time.Time // zero where it was not
	Rescued    time.Time // when the same content was committed again, because its deployment was lost; zero where it was not
	Err        error
}

// Error says in which phase and at which destination a publish failed.
type Error struct {
	Phase       string
	Destination string
	Err         error
}

// Error names destination and phase first, the phase once if the destination's own error begins with it.
func (e *Error) Error() string {
	text := fmt.Sprint(e.Err)
	if rest, again := strings.CutPrefix(text, e.Phase); again && (strings.HasPrefix(rest, ": ") || strings.HasPrefix(rest, " ")) {
		return e.Destination + ": " + text
	}
	return fmt.Sprintf("%s: %s: %s", e.Destination, e.Phase, text)
}

// Unwrap returns the destination's own error.
func (e *Error) Unwrap() error { return e.Err }
