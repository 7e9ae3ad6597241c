package publish

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
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
	Watch(ctx context.Context, rel *site.Release, plans map[string]targets.Plan) (ActiveWatch, error)
}

// ActiveWatch is a watch that goes on.
type ActiveWatch interface {
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
	// holds. Nil refuses none. Foreign files are in neither number: see Adoption.
	MaxDelete func(deletes, held int) error
	Adoption  Adoption
	Order     Order
	// Review is called when the destinations have made their plans, before anything is stored. Its error
	// ends the publish. Nil reviews nothing.
	Review func(*Report) error
	// Learn returns what is known of the origins' lags for Order, while the destinations make their
	// plans. Nil: nothing more than Order says.
	Learn func(ctx context.Context) (lags, spreads map[string]time.Duration)
	// Slowest returns the longest lag that is known of a destination's origin, 0 for none. Nil knows none.
	Slowest func(destination string) time.Duration
	// VerifyTimeout is how long the origins may take to show the release, from the start of the
	// first commit on, with what the Watcher took to begin. It bounds everything that the publish
	// waits for meanwhile: the commits' times, the barrier, the watch, the reading back and the
	// verification.
	VerifyTimeout time.Duration
	Verifier      Verifier // nil: what was committed is not looked at live
	Watcher       Watcher  // nil: the origins are not watched while they turn
	Caches        Caches   // nil: no caches are purged
	Journal       *Journal
	Events        Events
}

// publication is one release on its way to its destinations.
type publication struct {
	rel     *site.Release
	dests   []targets.Destination
	options Options
	report  *Report
	seen    ActiveWatch   // nil where nothing is watched
	opened  time.Time     // start of the first commit, zero before
	spent   time.Duration // on seeing what was live before the first commit
	unseen  bool          // visitors are to see nothing of what is staged
	warning sync.Mutex    // guards the report's warnings

	reserved    reservations
	purgesEnded bool
	rescues     *rescues // nil where the origins are not watched
}

func newPublication(rel *site.Release, dests []targets.Destination, o Options) *publication {
	p := &publication{rel: rel, dests: dests, options: o, report: &Report{
		Outcome: Failed, Release: rel.ID(), Rollback: rel.Rollback, Files: len(rel.Manifest), Bytes: rel.Manifest.Bytes(),
	}}
	p.reserved.held = map[string]targets.Reservation{}
	for _, d := range dests {
		p.report.Targets = append(p.report.Targets, &TargetReport{Name: d.Name, Kind: d.Kind.Name})
	}
	return p
}

// warn adds a warning to the report while destinations are at work.
func (p *publication) warn(format string, args ...any) {
	p.warning.Lock()
	defer p.warning.Unlock()
	p.report.Warn(format, args...)
}

// tellWarnings adds what a destination did in another way than its config says.
func (p *publication) tellWarnings(d targets.Destination) {
	if w, ok := d.Target.(targets.Warner); ok {
		for _, text := range w.TakeWarnings() {
			p.warn("%s: %s", d.Name, text)
		}
	}
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

func (p *publication) pendingDestinations() []targets.Destination {
	var pending []targets.Destination
	for i, r := range p.report.Targets {
		if needed(r.Plan, p.rel.ID()) {
			pending = append(pending, p.dests[i])
		}
	}
	return pending
}

// purge begins to purge the caches before a destination's origin.
func (p *publication) purge(name string, c diff.Changes) {
	if p.options.Caches != nil {
		p.options.Caches.Changed(name, c)
	}
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

func (p *publication) destinationOf(s Step) targets.Destination {
	return p.dests[slices.IndexFunc(p.dests, func(d targets.Destination) bool { return d.Name == s.Name })]
}

// reservations are the places that this publish holds.
type reservations struct {
	mu   sync.Mutex
	held map[string]targets.Reservation // by destination
}

func (p *publication) reportOf(name string) *TargetReport {
	return p.report.Targets[slices.IndexFunc(p.report.Targets, func(r *TargetReport) bool { return r.Name == name })]
}
