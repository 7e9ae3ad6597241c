package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"mirror/diff"
	"mirror/internal/summary"
	"mirror/reports"
	"slices"
	"time"
)

// Options says what a dashboard shows, and what may be started through it.
type Options struct {
	Source  summary.Source       // what is remembered
	Origins []Origin             // as configured; a check may know fewer, or others
	Jobs    func() []reports.Job // nil for none
	// Staged lists the releases that are staged to go live later, as far as that is known. Nil for none.
	Staged func() []reports.StagedRelease
	// Overdue lists the jobs that ought to have run by now, as the scheduler has them. While
	// there are any, /readyz fails. Nil for never.
	Overdue func() []string
	// Hanging lists the jobs with a run that did not end in its time. While there are any, /readyz
	// fails. Nil for never.
	Hanging func() []string
	// Group tells of the daemons that share the work with this one. Nil for none.
	Group func() reports.Group
	// Notifications tells how many messages were sent, and how many could not be, so far. Nil
	// leaves both metrics out.
	Notifications func() (sent, failed uint64)
	// Notice is something about the daemon itself that every page shows, "" for nothing. Nil
	// for never.
	Notice  func() string
	Version string

	// Token has to be given, as a bearer token, to start something, and, in that way
	// or as the password of basic authentication, to see what commands, builds
	// and targets said. "" turns both off.
	Token string
	// Scrub takes secrets out of all that is answered; nil for none.
	Scrub func(text []byte) []byte
	// Check and Publish start the work and return once it has begun, without waiting for its
	// end. ErrBusy says that it is running already. Nil for what cannot be started.
	Check, Publish func(ctx context.Context) error
	// Rollback starts, in the same way, to put an earlier release live: the one with the ID, or the first digits of
	// it, or for "" the one before. Nil where that cannot be started.
	Rollback func(ctx context.Context, release string) error

	// Hosts are the names, without a port, under which browsers may ask, beside localhost and
	// every plain IP address. Others are refused, so that no foreign page can read this one
	// by pointing its own name here (DNS rebinding). "*" allows all names.
	Hosts []string

	Now func() time.Time // nil for time.Now
	Log *slog.Logger     // nil for none
}

// Origin is one configured origin.
type Origin struct {
	Name, URL string
	Front     bool // a mirror front over the other origins
}

// named lists the configured origins.
func (o Options) named() []diff.OriginState {
	var all []diff.OriginState
	for _, origin := range o.Origins {
		all = append(all, diff.OriginState{Name: origin.Name, URL: origin.URL})
	}
	return all
}

// isFront reports whether the config says that an origin is a front.
func (o Options) isFront(name string) bool {
	return slices.ContainsFunc(o.Origins, func(at Origin) bool { return at.Front && at.Name == name })
}

// ErrBusy means that what was to be started is running already.
var ErrBusy = errors.New("it is running already")

func (o Options) complete() Options {
	if o.Scrub == nil {
		o.Scrub = func(text []byte) []byte { return text }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Jobs == nil {
		o.Jobs = func() []reports.Job { return nil }
	}
	if o.Staged == nil {
		o.Staged = func() []reports.StagedRelease { return nil }
	}
	if o.Notice == nil {
		o.Notice = func() string { return "" }
	}
	if o.Hanging == nil {
		o.Hanging = func() []string { return nil }
	}
	if o.Overdue == nil {
		o.Overdue = func() []string { return nil }
	}
	return o
}
