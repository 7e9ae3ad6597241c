// Package publish takes one release to many destinations: plan all, stage everywhere, then
// commit everywhere, else roll back what moved. Nothing that visitors see changes before
// every destination holds all of the release.
package publish

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
	Failed     Outcome = "failed"      // nothing was committed
	RolledBack Outcome = "rolled_back" // every origin is on the old release again
	Mixed      Outcome = "mixed"       // some origins may be on another release than the rest
)

// Verifier watches the live origins.
type Verifier interface {
	// Await looks at the live origins until all serve rel or patience has run out, and at
	// least once. It returns what it saw last. deleted are paths that rel does not have
	// and that were stored before. The error is ctx's.
	Await(ctx context.Context, rel *site.Release, deleted []string, patience time.Duration) (diff.Verdict, error)
}

// Watcher watches the live origins while a publish commits.
type Watcher interface {
	// Watch looks what is live, and from then on watches how the origins turn. What
	// changes is what the plans say. It waits for answers for no longer than half of the verify
	// timeout. The error is ctx's.
	Watch(ctx context.Context, rel *site.Release, plans map[string]targets.Plan) (Sighting, error)
}

// Sighting is a watch that goes on.
type Sighting interface {
	// Await waits until the named origins were seen to serve the release, or ctx ends, and
	// returns those that were not. A destination without an origin is never waited for.
	Await(ctx context.Context, names []string) (late []string)
	// Settle waits until all of every origin's pages are confirmed, or ctx ends, and
	// returns the window as it then stands. The watch is over.
	Settle(ctx context.Context) diff.Window
}

// Events hears what a publish is doing.
type Events interface {
	// Phase begins a phase: plan, stage, commit, verify, roll back, prune.
	Phase(name string)
	// Staging returns who hears of one destination's stage.
	Staging(destination string) targets.Progress
	// Note tells what a person should know, and what no error says.
	Note(destination, text string)
}

// Options bound a publish.
type Options struct {
	// MaxDelete refuses a plan that deletes too many of the files that a destination
	// holds. Nil refuses none.
	MaxDelete func(deletes, held int) error
	Adoption  Adoption
	Order     Order
	// VerifyTimeout is how long the origins may take to show the release, from the start of the
	// first commit on, with what the Watcher took to begin. It bounds everything that the publish
	// waits for meanwhile: the commits' times, the barrier, the watch, the reading back and the
	// verification.
	VerifyTimeout time.Duration
	Verifier      Verifier // nil: what was committed is not looked at live
	Watcher       Watcher  // nil: the origins are not watched while they turn
	Journal       *Journal
	Events        Events
}

// Report is what a publish did.
type Report struct {
	Outcome  Outcome
	Release  site.ID
	Previous site.ID // live before on the first destination that had a release
	Files    int
	Bytes    int64
	Targets  []*TargetReport
	Schedule []Step        // the commits, in their order
	Window   *diff.Window  // nil where the origins were not watched
	Verdict  *diff.Verdict // nil where the origins were not looked at
	// Warnings lists, for people, what failed without changing the outcome.
	Warnings []string
}

// Warn adds a warning. It is not safe for concurrent use.
func (r *Report) Warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// warn adds a warning to the report while destinations are at work.
func (p *publication) warn(format string, args ...any) {
	p.warning.Lock()
	defer p.warning.Unlock()
	p.report.Warn(format, args...)
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
	Err        error
}

// Run publishes rel to all destinations. The report is whole whatever the error is; the
// error says, destination by destination, why the outcome is no better.
func Run(ctx context.Context, rel *site.Release, dests []targets.Destination, o Options) (*Report, error) {
	p := begin(rel, dests, o)
	return p.report, p.run(ctx)
}

// Plan asks every destination what a publish of rel would do, and changes nothing.
func Plan(ctx context.Context, rel *site.Release, dests []targets.Destination, o Options) (*Report, error) {
	p := begin(rel, dests, o)
	return p.report, p.plan(ctx)
}

type publication struct {
	rel     *site.Release
	dests   []targets.Destination
	options Options
	report  *Report
	seen    Sighting      // nil where nothing is watched
	opened  time.Time     // start of the first commit, zero before
	spent   time.Duration // on seeing what was live before the first commit
	warning sync.Mutex    // guards the report's warnings
}

func begin(rel *site.Release, dests []targets.Destination, o Options) *publication {
	p := &publication{rel: rel, dests: dests, options: o, report: &Report{
		Outcome: Failed, Release: rel.ID(), Files: len(rel.Manifest), Bytes: rel.Manifest.Bytes(),
	}}
	for _, d := range dests {
		p.report.Targets = append(p.report.Targets, &TargetReport{Name: d.Name, Kind: d.Kind.Name})
	}
	return p
}

func (p *publication) run(ctx context.Context) error {
	if err := p.adopted(ctx, p.plan(ctx)); err != nil {
		return err
	}
	if !p.pending() {
		return p.verify(ctx, Unchanged, 0)
	}
	if err := p.options.Journal.begin(p.rel.ID(), p.swaps()); err != nil {
		return err
	}
	err := p.turn(ctx)
	if err := p.options.Journal.end(p.report.Outcome); err != nil {
		p.warn("the journal does not say how the publish ended, and the next one takes it for interrupted: %v", err)
	}
	if err != nil {
		return err
	}
	return p.confirm(ctx)
}

// turn takes the release from the plans to being live everywhere.
func (p *publication) turn(ctx context.Context) error {
	for _, phase := range []func(context.Context) error{p.stage, p.watch, p.commit} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// plan asks every destination what would change, and refuses what should not be done.
func (p *publication) plan(ctx context.Context) error {
	p.options.Events.Phase("plan")
	if len(p.rel.Manifest) == 0 {
		return site.ErrEmpty
	}
	err := p.everywhere(func(i int, d targets.Destination, r *TargetReport) error {
		plan, err := d.Plan(ctx, p.rel)
		if err != nil {
			return &Error{Phase: "plan", Destination: d.Name, Err: err}
		}
		r.Plan = plan
		return p.guard(d.Name, plan.Changes)
	})
	for _, r := range p.report.Targets {
		if p.report.Previous == site.None {
			p.report.Previous = r.Plan.Live.Release
		}
	}
	p.report.Schedule = p.options.Order.schedule(p.pendingDestinations(), p.options.Watcher != nil)
	return err
}

func (p *publication) pendingDestinations() []targets.Destination {
	var pending []targets.Destination
	for i, r := range p.report.Targets {
		if needed(r.Plan, p.rel.ID()) {
			pending = append(pending, p.dests[i])
		}
	}
	return pending
}

func (p *publication) guard(name string, c diff.Changes) error {
	if p.options.MaxDelete == nil {
		return nil
	}
	if err := p.options.MaxDelete(len(c.Delete), len(c.Delete)+len(c.Change)+c.Same); err != nil {
		return &Error{Phase: "plan", Destination: name, Err: err}
	}
	return nil
}

// pending reports whether any destination is not on the release.
func (p *publication) pending() bool {
	for _, r := range p.report.Targets {
		if needed(r.Plan, p.rel.ID()) {
			return true
		}
	}
	return false
}

func needed(plan targets.Plan, id site.ID) bool {
	return !plan.Changes.Empty() || plan.Live.Release != id
}

func (p *publication) swaps() map[string]targets.Swap {
	swaps := map[string]targets.Swap{}
	for _, r := range p.report.Targets {
		if needed(r.Plan, p.rel.ID()) {
			swaps[r.Name] = p.swap(r)
		}
	}
	return swaps
}

func (p *publication) swap(r *TargetReport) targets.Swap {
	return targets.Swap{From: r.Plan.Live, To: p.rel.ID()}
}

// stage takes the release everywhere. The first failure ends the others: nothing of them
// is visible, and what they stored is there for the next run.
func (p *publication) stage(ctx context.Context) error {
	p.options.Events.Phase("stage")
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	return p.everywhere(func(i int, d targets.Destination, r *TargetReport) error {
		if !needed(r.Plan, p.rel.ID()) {
			return nil
		}
		meter := &meter{next: p.options.Events.Staging(d.Name)}
		began := time.Now()
		err := d.Stage(ctx, p.rel, meter)
		r.Stage = time.Since(began)
		r.SentFiles, r.SentBytes = meter.total()
		if err != nil {
			giveUp()
			return &Error{Phase: "stage", Destination: d.Name, Err: err}
		}
		return nil
	})
}

// everywhere does one thing at all destinations at once and joins the errors; where one
// failed by itself, those that were cancelled because of it are not told.
func (p *publication) everywhere(do func(i int, d targets.Destination, r *TargetReport) error) error {
	var all sync.WaitGroup
	for i, d := range p.dests {
		all.Go(func() { p.report.Targets[i].Err = do(i, d, p.report.Targets[i]) })
	}
	all.Wait()
	errs := make([]error, len(p.dests))
	for i, r := range p.report.Targets {
		errs[i] = r.Err
	}
	return p.failures(errs...)
}

func (*publication) failures(errs ...error) error {
	var causes, cancelled []error
	for _, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, context.Canceled):
			cancelled = append(cancelled, err)
		default:
			causes = append(causes, err)
		}
	}
	if len(causes) == 0 {
		causes = cancelled
	}
	return errors.Join(causes...)
}

// Error says in which phase and at which destination a publish failed.
type Error struct {
	Phase       string
	Destination string
	Err         error
}

// Error names destination and phase first.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Destination, e.Phase, e.Err) }

// Unwrap returns the destination's own error.
func (e *Error) Unwrap() error { return e.Err }

// meter counts what is sent on its way to who shows it.
type meter struct {
	next  targets.Progress
	mu    sync.Mutex
	files int
	bytes int64
}

// Expect passes on.
func (m *meter) Expect(files int, bytes int64) { m.next.Expect(files, bytes) }

// Sent counts and passes on.
func (m *meter) Sent(files int, bytes int64) {
	m.mu.Lock()
	m.files += files
	m.bytes += bytes
	m.mu.Unlock()
	m.next.Sent(files, bytes)
}

func (m *meter) total() (files int, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.files, m.bytes
}
