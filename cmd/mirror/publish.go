package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/config"
	"mirror/internal/history"
	"mirror/internal/publish"
	"mirror/reports"
	"mirror/site"
	"mirror/targets"
)

// publishFlags are the flags of publish; their zero values leave the config's word.
type publishFlags struct {
	build         bool
	noVerify      bool
	maxDelete     string
	verifyTimeout time.Duration
	adopt         bool
}

func (a *app) publishCommand() *cobra.Command {
	var f publishFlags
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Stage everywhere, then commit everywhere, and watch until the live origins agree",
		Long: `Scan the site, plan, stage the release on every target, and only when all of them hold
it commit it everywhere. If a commit fails, what moved is rolled back. Then the live
origins are watched until they serve the release.

` + exitCodes,
		Example: `  mirror publish
  mirror publish --build --json
  mirror publish --max-delete 100%   # a site that shrank on purpose
  mirror publish --adopt             # the first publish to a place that holds files of others`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.open()
			if err != nil {
				return err
			}
			doc, err := w.publish(cmd.Context(), f)
			if doc == nil {
				return err
			}
			if shown := a.show(doc); shown != nil {
				a.warnings.add("the report of the publish is not whole: %v", shown)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&f.build, "build", false, "run the config's build command first")
	cmd.Flags().BoolVar(&f.noVerify, "no-verify", false, "do not look at the live origins afterwards")
	cmd.Flags().StringVar(&f.maxDelete, "max-delete", "", "`limit` of files to delete on a target, as a share (50%) or a count")
	cmd.Flags().BoolVar(&f.adopt, "adopt", false, "delete what a place holds that was never published to")
	cmd.Flags().DurationVar(&f.verifyTimeout, "verify-timeout", 0, "how long the live origins may take to agree")
	return cmd
}

// publish does the whole of `mirror publish`. The document is nil where it failed before
// there was anything to report.
func (w *workspace) publish(ctx context.Context, f publishFlags) (*reports.Publish, error) {
	began := time.Now()
	report, err := w.release(ctx, f)
	if report == nil {
		return nil, err
	}
	w.notePublish(ctx, began, report, err)
	doc := publishDocument(report)
	doc.Ending = w.ending(ctx, err)
	doc.Warnings = append(slices.Clone(report.Warnings), doc.Warnings...)
	return doc, publishExit(report, err)
}

const publishSchema = "mirror.publish/v1"

// release puts the site live. The report is nil where it failed before there was anything to
// report.
func (w *workspace) release(ctx context.Context, f publishFlags) (*publish.Report, error) {
	if err := w.apply(f); err != nil {
		return nil, usage(err)
	}
	journal, last, err := publish.OpenJournal(w.state.Dir())
	if err != nil {
		return nil, err
	}
	defer journal.Close()
	if f.build {
		if err := w.build(ctx); err != nil {
			return nil, err
		}
	}
	d := w.app.display()
	defer d.Close()
	if last.Interrupted() {
		d.line("recover  the publish of %s was interrupted on %s; every target says itself what it holds",
			last.Release.Short(), strings.Join(last.Destinations(), ", "))
	}
	rel, err := w.scan(ctx, d)
	if err != nil {
		return nil, err
	}
	defer rel.Close()
	dests, err := w.destinations(ctx)
	if err != nil {
		return nil, err
	}
	options := w.publishOptions(ctx, dests, d)
	options.Journal = journal
	options.Adoption = publish.Adoption{Allowed: f.adopt, Ask: w.app.askAdoption(d)}
	if f.noVerify {
		options.Verifier, options.Watcher = nil, nil
	}
	report, err := publish.Run(ctx, rel.Release, dests, options)
	w.finish(ctx, report, rel.Release, dests)
	return report, err
}

// apply lets the flags overrule the config.
func (w *workspace) apply(f publishFlags) error {
	if f.maxDelete != "" {
		limit, err := config.ParseLimit(f.maxDelete)
		if err != nil {
			return fmt.Errorf("--max-delete: %w", err)
		}
		w.config.Publish.MaxDelete = limit
	}
	if f.verifyTimeout > 0 {
		w.config.Publish.VerifyTimeout = f.verifyTimeout
	}
	if f.build && w.config.Site.Build == "" {
		return errors.New("--build: the config has no site.build command")
	}
	return nil
}

// buildDelay is how long the output of a build is waited for when the command itself has
// ended: something that it left running may hold the pipe open.
const buildDelay = 2 * time.Second

// build runs the site's build command in the config's folder.
func (w *workspace) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", w.config.Site.Build)
	cmd.Dir = filepath.Dir(w.config.File)
	cmd.Env = os.Environ()
	cmd.Stdout, cmd.Stderr = w.app.stderr, w.app.stderr
	cmd.WaitDelay = buildDelay
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("build (%s): %w", w.config.Site.Build, err)
	}
	return nil
}

// publishOptions is what the config says of a publish.
func (w *workspace) publishOptions(ctx context.Context, dests []targets.Destination, d *display) publish.Options {
	var lags map[string]time.Duration
	err := w.remember(ctx, func(h *history.Store) (err error) {
		lags, err = h.Lags(ctx)
		return err
	})
	if err != nil {
		w.app.warnings.add("the lags of the origins are not known, so the commits are not timed by them: %v", err)
	}
	p := w.config.Publish
	o := publish.Options{
		MaxDelete: w.maxDelete, VerifyTimeout: p.VerifyTimeout, Events: d,
		Order: publish.Order{
			Mode: publish.Mode(p.Order.Mode), Names: p.Order.Names, Lags: lags, Barrier: p.Barrier, LateRollsBack: p.OnLate == "rollback",
		},
	}
	if len(w.origins()) > 0 {
		o.Verifier, o.Watcher = verifier{w, d}, watcher{w, d, declaredAtomic(dests)}
	}
	return o
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

func (w *workspace) maxDelete(deletes, held int) error {
	limit := w.config.Publish.MaxDelete
	if deletes == 0 || deletes <= limit.Of(held) {
		return nil
	}
	return fmt.Errorf("would delete %d of %d files, over the limit of %s (hint: is the build whole? publish --max-delete 100%% allows it once)",
		deletes, held, limit)
}

// verifier looks at the live origins for a publish.
type verifier struct {
	w *workspace
	d *display
}

// Await looks until all origins serve the release or patience has run out.
func (v verifier) Await(ctx context.Context, rel *site.Release, deleted []string, patience time.Duration) (diff.Verdict, error) {
	return check.Await(ctx, v.w.origins(), v.w.lookFor(rel, deleted, v.d), patience)
}

// finishing is how long it may take to remember a release, also where the publish was
// interrupted after its commits.
const finishing = time.Minute

// finish remembers a release that has gone live and lets the targets drop old ones. What
// fails here is a warning: the release is live.
func (w *workspace) finish(ctx context.Context, r *publish.Report, rel *site.Release, dests []targets.Destination) {
	if r.Outcome != publish.Live && r.Outcome != publish.Diverged {
		return
	}
	within, done := context.WithTimeout(context.WithoutCancel(ctx), finishing)
	keep, err := w.learn(within, r, rel)
	done()
	if err != nil {
		r.Warn("the release is live and is not remembered here, so old releases stay on the targets: %v", err)
	}
	if err != nil || ctx.Err() != nil {
		return
	}
	for _, dest := range dests {
		if p, ok := dest.Target.(targets.Pruner); ok {
			if err := p.Prune(ctx, keep); err != nil {
				r.Warn("%s: old releases stay: %v", dest.Name, err)
			}
		}
	}
}

// lagsOf is how long each origin took, from the start of its commit until all of it was
// seen to have turned.
func lagsOf(r *publish.Report) map[string]time.Duration {
	lags := map[string]time.Duration{}
	if r.Window == nil {
		return lags
	}
	for _, o := range r.Window.Origins {
		for _, t := range r.Targets {
			if t.Name == o.Name && !t.Committed.IsZero() && !o.Unchanged && len(o.Open) == 0 && !o.AllNew.Before.IsZero() {
				lags[o.Name] = max(0, o.AllNew.Before.Sub(t.Began))
			}
		}
	}
	return lags
}

func publishDocument(r *publish.Report) *reports.Publish {
	doc := &reports.Publish{
		Schema: publishSchema, Outcome: string(r.Outcome), Release: r.Release, Previous: r.Previous,
		Files: r.Files, Bytes: r.Bytes, Targets: []reports.PublishTarget{},
	}
	for _, t := range r.Targets {
		row := reports.PublishTarget{
			Name: t.Name, Type: t.Kind, From: t.Plan.Live.Release, To: r.Release,
			Add: len(t.Plan.Changes.Add), Change: len(t.Plan.Changes.Change), Delete: len(t.Plan.Changes.Delete), Same: t.Plan.Changes.Same,
			SentFiles: t.SentFiles, SentBytes: t.SentBytes, Stage: reports.Millis(t.Stage), Commit: reports.Millis(t.Commit), Error: text(t.Err),
		}
		if !t.Committed.IsZero() {
			row.Committed = &t.Committed
		}
		doc.Targets = append(doc.Targets, row)
	}
	if r.Window != nil {
		window := reports.WindowOf(*r.Window)
		doc.Window = &window
	}
	if r.Verdict != nil {
		c := reports.CheckOf(*r.Verdict)
		doc.Check = &c
	}
	return doc
}

// publishExit maps an outcome to its exit code.
func publishExit(r *publish.Report, err error) error {
	code := map[publish.Outcome]int{
		publish.Live: exitAgree, publish.Unchanged: exitAgree, publish.Diverged: exitDisagree,
		publish.Failed: exitFailed, publish.RolledBack: exitRolledBack, publish.Mixed: exitMixed,
	}[r.Outcome]
	switch {
	case code == exitAgree && err != nil && r.Outcome == publish.Live:
		code = exitDisagree // it is live, and nobody knows whether everywhere
	case code == exitAgree && err != nil:
		code = exitFailed
	}
	if code == exitAgree {
		return nil
	}
	return &exit{code, err}
}

func (w *workspace) plan(ctx context.Context, d *display) (*publish.Report, error) {
	rel, err := w.scan(ctx, d)
	if err != nil {
		return nil, err
	}
	defer rel.Close()
	dests, err := w.destinations(ctx)
	if err != nil {
		return nil, err
	}
	return publish.Plan(ctx, rel.Release, dests, w.publishOptions(ctx, dests, d))
}
