// Package daemon runs a config's jobs by their schedule: it checks, publishes, reports and
// prunes, remembers each run, and tells people when an episode opens and when it closes. It
// knows when to do what; what the jobs do is given to it.
package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// Kind is what a job does.
type Kind string

// The kinds, as the config calls them.
const (
	Check    Kind = "check"
	Publish  Kind = "publish"
	Report   Kind = "report"
	Prune    Kind = "prune"
	Release  Kind = "release"  // a publish of a release that is staged
	Rollback Kind = "rollback" // has no slots: it runs when Daemon.Rollback asks for it
)

// Job is something to do at the slots of a schedule.
type Job struct {
	Name     string
	Kind     Kind
	Schedule scheduler.Schedule
	Timeout  time.Duration // of one run; 0 for none
	Jitter   time.Duration
	CatchUp  bool
	Watch    bool   // a publish that a change of the site's folder runs too
	Build    bool   // a publish that builds the site first, except after such a change
	Release  string // of the kind Release, the ID of the release or the first digits of it
}

// Work is what the jobs do. Each prints what a person would want to read of it to log, and
// ends soon after ctx has.
type Work struct {
	// Check looks at the live origins. The error says why there is no verdict.
	Check func(ctx context.Context, log io.Writer) (diff.Verdict, error)
	// Build makes the site; nil where the config does not say how.
	Build func(ctx context.Context, log io.Writer) error
	// Publish puts the site live, and says how that went also where it failed. The error is
	// ErrDisagree where all targets hold the release and not all origins serve it: the outcome is
	// "unchanged" where they held it before.
	Publish func(ctx context.Context, log io.Writer) (history.Publish, error)
	// Release puts a staged release live: the one with the ID, or the first digits of it. The outcome is ""
	// where it went live before, and is not published again.
	Release func(ctx context.Context, release string, log io.Writer) (history.Publish, error)
	// Rollback puts an earlier release live. The error says why there is none. The outcome is "" where nothing was begun.
	Rollback func(ctx context.Context, r RollbackRequest, log io.Writer) (history.Publish, error)
	// Report writes down what was between two instants.
	Report func(ctx context.Context, job string, since, until time.Time, log io.Writer) error
	// Prune forgets what is too old, here and on the targets.
	Prune func(ctx context.Context, log io.Writer) error
}

// RollbackRequest says to which release to go back.
type RollbackRequest struct {
	Release string // its ID, or the first digits of it; "" for the one before
	Resume  bool   // only complete a rollback that was interrupted, if nothing else has gone live since
}

// ErrDisagree means that all targets hold the release and not all origins serve it.
var ErrDisagree = errors.New("the origins do not agree")

// Setup is what the config says. Another one may take its place while the daemon runs.
type Setup struct {
	Jobs       []Job
	Work       Work
	Origins    []string           // names; episodes of others end
	Recipients []notify.Recipient // who is told

	Config string // changes with the config; "" where that is not known
	Broken bool   // the latest publish from here was killed: the site is published at the start
	// Unfinished says that the latest publish from here was a rollback that was killed: it is completed at the start, and the
	// site is not published.
	Unfinished bool
	Site       string                 // the site's folder, which jobs with Watch follow
	Ignored    func(path string) bool // of paths in that folder, relative to it; nil for none

	WindowLimit time.Duration // a publish whose window is surely longer is told of; 0 for none
	Link        string        // the dashboard's URL, for links in what is told; "" for none
}

// Options are what a daemon works with beside its setup.
type Options struct {
	History *history.Store
	Notify  notify.Options // the history is its ledger
	Log     *slog.Logger
	Changed func()        // called whenever there is something new to show; may be nil
	Grace   time.Duration // how long running jobs have to stop; 0 for 4 s
	Settle  time.Duration // how long the site's folder must be still before it is published; 0 for 2 s
	Seed    string        // tells this daemon's jitter from that of others
	// Group is the daemons that share the work with this one; nil for this one alone. Its Seed is the same in all of them.
	Group Group
	Name  string // of this daemon, for the others
}

// Group is the daemons that share the work of one config: one of them leads, which runs the schedule and sends alerts.
type Group interface {
	// Leads reports whether this daemon leads. More than one may, for a while.
	Leads() bool
	// Changed is closed when that may have changed.
	Changed() <-chan struct{}
	// Send sends a record to all daemons of the group. It is repeated after an error.
	Send(ctx context.Context, record []byte) error
	// Receive calls take for each record in its order until ctx ends, also for those of this daemon. One for which take
	// returns an error comes again.
	Receive(ctx context.Context, take func(ctx context.Context, record []byte) error)
}
