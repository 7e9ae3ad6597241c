package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/command"
	"mirror/internal/config"
	"mirror/internal/planfile"
	"mirror/internal/publish"
	"mirror/site"
	"mirror/targets"
)

// PublishOptions overrule the config for one publish.
type PublishOptions struct {
	Build         bool // run the config's build command first
	NoVerify      bool // do not look at the live origins afterwards
	MaxDelete     *config.Limit
	Adoption      publish.Adoption
	VerifyTimeout time.Duration // 0 for the config's
	PlanFile      string        // a reviewed plan: any other one is refused; "" for none
	StageOnly     bool          // make nothing live
	PurgeNow      []string      // remove these paths from all that the targets keep
	Release       string        // make this staged release live in place of the site, by the first digits of its ID; "" for the site

	journaled bool // this run holds the journal
}

// Publish puts the site live on all targets and records that. The report is nil where it
// failed before there was anything to report.
func (w *Workspace) Publish(ctx context.Context, o PublishOptions) (*publish.Report, error) {
	began := time.Now()
	w.renewUniques()
	report, err := w.publish(ctx, o)
	if report != nil && !o.StageOnly {
		w.recordPublish(ctx, began, report, err)
	}
	return report, err
}

// validate refuses options that cannot be meant together.
func (o PublishOptions) validate(build string) error {
	switch {
	case o.Build && build == "":
		return errors.New("--build: the config has no site.build command")
	case o.Build && o.Release != "":
		return errors.New("--build and --release cannot be used together: a staged release is not built again")
	case len(o.PurgeNow) > 0 && (o.StageOnly || o.Release != "" || o.PlanFile != ""):
		return errors.New("--purge-now cannot be used together with --stage-only, --release or --plan: it publishes the site")
	case o.StageOnly && o.Release != "":
		return errors.New("--stage-only and --release cannot be used together: the release is staged already")
	}
	return nil
}

// publish is Publish without the record.
func (w *Workspace) publish(ctx context.Context, o PublishOptions) (*publish.Report, error) {
	report, err := w.publishOnly(ctx, o)
	w.afterPublish(ctx, report)
	return report, err
}

// publishOnly is publish without the hook.
func (w *Workspace) publishOnly(ctx context.Context, o PublishOptions) (*publish.Report, error) {
	if err := o.validate(w.Config.Site.Build); err != nil {
		return nil, usage(err)
	}
	var err error
	if o.PurgeNow, err = erasedPaths(o.PurgeNow); err != nil {
		return nil, usage(err)
	}
	w.erased = o.PurgeNow
	reviewed, err := w.readPlan(o.PlanFile, planfile.Options{Unwatched: o.NoVerify})
	if err != nil {
		return nil, err
	}
	if _, err := w.caches(); err != nil {
		return nil, err
	}
	journal, last, err := w.journal()
	if err != nil {
		return nil, err
	}
	defer journal.Close()
	if o.Build {
		if err := w.RunBuild(ctx); err != nil {
			return nil, err
		}
	}
	o.journaled = true
	rel, dests, options, err := w.prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer rel.Close()
	if err := refuseErasure(rel.Release, o.PurgeNow); err != nil {
		return nil, err
	}
	options.Review = reviewed.review(rel.Release, dests)
	if o.StageOnly {
		return w.stage(ctx, rel.Release, dests, options)
	}
	report, err := w.run(ctx, journal, last, rel.Release, dests, options)
	w.warnOfMixedContent(ctx, rel.Release, report)
	if o.Release != "" && report.Outcome == publish.Unchanged {
		w.forget(ctx, rel.ID(), dests)
	}
	if len(o.PurgeNow) > 0 {
		err = errors.Join(err, w.eraseAfter(ctx, report, rel.Release, dests, o.PurgeNow))
	}
	return report, err
}

// journal opens the journal, which one run at a time may hold, and returns what the last run left. It tells of one that
// was interrupted.
func (w *Workspace) journal() (*publish.Journal, publish.Page, error) {
	journal, last, err := publish.OpenJournal(w.State.Dir())
	if err == nil && last.Interrupted() {
		what := "publish of"
		if last.Rollback {
			what = "rollback to"
		}
		w.options.Events.Line("recover  the %s %s was interrupted on %s; each target is asked what it holds",
			what, last.Release.Short(), strings.Join(last.Destinations(), ", "))
	}
	return journal, last, err
}

// run takes a release to the targets and remembers that. last is what the run before left in the journal.
func (w *Workspace) run(ctx context.Context, journal *publish.Journal, last publish.Page, rel *site.Release, dests []targets.Destination, o publish.Options) (*publish.Report, error) {
	o.Journal = journal
	book := w.newLagBook(dests)
	o.Learn, o.Slowest = book.expect, book.slowest
	w.announce(rel)
	hints := w.newHints(ctx, rel, o.Events)
	o.Events = hints
	report, err := publish.Run(ctx, rel, dests, o)
	hints.wait()
	if wentLive(report, last) {
		w.finish(ctx, report, rel, book)
	}
	return report, err
}

// wentLive reports whether a release went live that is not remembered yet: by this run, or by the one before, which was
// interrupted after its commits.
func wentLive(r *publish.Report, last publish.Page) bool {
	return r.Outcome == publish.Live || r.Outcome == publish.Diverged || r.Outcome == publish.Unchanged && last.Interrupted() && last.Release == r.Release
}

// prepare scans the site, or opens a staged release, and opens the targets. Close the tree after use.
func (w *Workspace) prepare(ctx context.Context, o PublishOptions) (tree, []targets.Destination, publish.Options, error) {
	if len(w.Config.Targets) == 0 {
		return tree{}, nil, publish.Options{}, usage(errors.New("--target names only origins that are never published to (hint: check and watch look at them)"))
	}
	if o.Release != "" {
		dests, err := w.Destinations(ctx)
		if err != nil {
			return tree{}, nil, publish.Options{}, err
		}
		rel, err := w.openStaged(ctx, o.Release, dests, o.journaled)
		return rel, dests, w.publishOptions(dests, o), err
	}
	rel, err := w.scan(ctx)
	if err != nil {
		return tree{}, nil, publish.Options{}, err
	}
	dests, err := w.Destinations(ctx)
	if err != nil {
		return tree{}, nil, publish.Options{}, errors.Join(err, rel.Close())
	}
	w.warnOfGrace(ctx, dests)
	return rel, dests, w.publishOptions(dests, o), nil
}

// RunBuild runs the site's build command in the config's folder. Where ctx ends first, nothing of
// the build is left running.
func (w *Workspace) RunBuild(ctx context.Context) error {
	cmd := command.Shell(ctx, w.Config.Site.Build)
	cmd.Dir = filepath.Dir(w.Config.File)
	cmd.Env = os.Environ()
	cmd.Stdout, cmd.Stderr = w.options.Output, w.options.Output
	if err := command.Run(ctx, cmd); err != nil {
		return fmt.Errorf("build (%s): %w", w.Config.Site.Build, err)
	}
	return nil
}

// publishOptions is what the config says of a publish, and o overrules.
func (w *Workspace) publishOptions(dests []targets.Destination, o PublishOptions) publish.Options {
	p := w.Config.Publish
	if o.MaxDelete != nil {
		p.MaxDelete = *o.MaxDelete
	}
	if o.VerifyTimeout > 0 {
		p.VerifyTimeout = o.VerifyTimeout
	}
	options := publish.Options{
		MaxDelete: deleteGuard(p.MaxDelete), Adoption: o.Adoption, VerifyTimeout: p.VerifyTimeout, Events: w.options.Events,
		Order: publish.Order{
			Mode: publish.Mode(p.Order.Mode), Names: p.Order.Names, Barrier: p.Barrier, LateRollsBack: p.OnLate == "rollback",
		},
	}
	caches, _ := w.caches() // the caller has looked whether anything is missing, if this is more than a plan
	if caches != nil {
		options.Caches = caches
	}
	if len(w.Origins()) > 0 && !o.NoVerify {
		options.Verifier = verifier{w, dests, p.VerifyTimeout, time.Now(), caches}
		options.Watcher = watcher{w, declaredAtomic(dests), p.VerifyTimeout / 2, caches}
	}
	return options
}

// declaredAtomic lists the destinations that declare that a commit shows all its pages at once.
func declaredAtomic(dests []targets.Destination) []string {
	var names []string
	for _, d := range dests {
		if d.Kind.Traits.Atomic {
			names = append(names, d.Name)
		}
	}
	return names
}

// deleteGuard refuses a plan that deletes more than the limit.
func deleteGuard(limit config.Limit) func(deletes, held int) error {
	return func(deletes, held int) error {
		if deletes == 0 || deletes <= limit.Of(held) {
			return nil
		}
		return fmt.Errorf("would delete %d of %d files, over the limit of %s (hint: is the build complete? publish --max-delete 100%% allows it once)",
			deletes, held, limit)
	}
}

// giveUp is for how long a publish asks again an origin that fails for good. The watch before has
// asked it for longer.
const giveUp = 2 * time.Second

// verifier looks at the live origins for a publish.
type verifier struct {
	w     *Workspace
	dests []targets.Destination
	limit time.Duration // of one look
	began time.Time     // before anything could change

	caches *caches // before the origins; nil for none
}

// Await looks until all origins serve the release or patience has run out.
func (v verifier) Await(ctx context.Context, rel *site.Release, deleted []string, patience time.Duration) (diff.Verdict, error) {
	o := v.w.lookFor(rel, deleted)
	o.Limit, o.GiveUp, o.Cached = v.limit, giveUp, v.caches.judged()
	o.Past = []check.PastFunc{v.before(rel, v.w.remembered()), v.before(rel, (&targetSet{dests: v.dests}).past)}
	verdict, err := check.Await(ctx, v.w.Origins(), o, patience)
	verdict.Notes = append(verdict.Notes, v.w.originNotes(ctx, verdict)...)
	return verdict, err
}

// before asks for the releases that were live before a publish of rel, which is the newest of them
// however often it was live.
func (v verifier) before(rel *site.Release, ask check.PastFunc) check.PastFunc {
	return func(ctx context.Context, of []string) []site.Past {
		ctx, cancel := context.WithTimeout(ctx, naming)
		defer cancel()
		past := slices.DeleteFunc(ask(ctx, of), func(p site.Past) bool { return !p.Published.Before(v.began) })
		return diff.Sequence([]site.Past{{Release: rel.ID(), Published: time.Now(), Manifest: rel.Manifest}}, past)
	}
}
