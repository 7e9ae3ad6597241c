package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/reports"
	"mirror/site"
)

func (a *app) checkCommand() *cobra.Command {
	var liveOnly bool
	var out *outputs
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Hash the live pages of every origin; exit 1 when they disagree",
		Long: `Fetch every page of the release from every live origin, hash it, and compare it with
the release and so with every other origin. Also looked for: pages that should be gone,
those that a target still stores and those of earlier releases, and how a path that does
not exist is answered. A page that could not be fetched never counts as agreeing.

The release is the site's folder as it is now; where that is not there, the last release
published from here.

` + exitCodes,
		Example: `  mirror check
  mirror check --json | jq '.drift'
  mirror check --out junit=report.xml --out sarif=drift.sarif
  mirror check --live-only            # ask the origins only, not the targets' stores`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.judge(); err != nil {
				return err
			}
			w, err := a.open()
			if err != nil {
				return err
			}
			verdict, err := w.check(cmd.Context(), liveOnly)
			if err != nil {
				return err
			}
			return ending(checkExit(verdict), out.write(reports.CheckOf(verdict)))
		},
	}
	out = a.outputs(cmd)
	cmd.Flags().BoolVar(&liveOnly, "live-only", false, "do not ask the targets which files they store")
	return cmd
}

// checkExit maps a verdict to its exit code.
func checkExit(v diff.Verdict) error {
	switch {
	case v.Agree():
		return nil
	case v.Drifted():
		return &exit{exitDisagree, nil}
	}
	return &exit{exitFailed, nil}
}

// check does the whole of `mirror check`.
func (w *workspace) check(ctx context.Context, liveOnly bool) (diff.Verdict, error) {
	if len(w.origins()) == 0 {
		return diff.Verdict{}, usage(fmt.Errorf("%s: no target has an origin, so there is nothing to look at (hint: add origin: {url: …})", w.config.File))
	}
	d := w.app.display()
	defer d.Close()
	rel, done, err := w.reference(ctx, d)
	if err != nil {
		return diff.Verdict{}, err
	}
	defer done()
	for _, h := range w.config.Check.Headers {
		if !strings.EqualFold(h, "content-type") {
			d.line("note     check.headers: %s is not compared yet; the content type is", h)
		}
	}
	absent := w.removed(ctx, rel.Manifest, d)
	if !liveOnly {
		absent = append(absent, w.stored(ctx, rel, d)...)
		slices.Sort(absent)
		absent = slices.Compact(absent)
	}
	return check.Run(ctx, w.origins(), w.lookFor(rel, absent, d))
}

// reference returns the release to compare with: the site's folder, or where that is not
// there the last release that was published from here.
func (w *workspace) reference(ctx context.Context, d *display) (*site.Release, func() error, error) {
	rel, err := w.scan(ctx, d)
	if err == nil {
		return rel.Release, rel.Close, nil
	}
	if !isMissing(err) {
		return nil, nil, err
	}
	last, pastErr := w.lastPublished(ctx)
	if pastErr != nil {
		return nil, nil, errors.Join(err, pastErr)
	}
	d.line("site     %s is not there; comparing with release %s, published here on %s",
		w.config.Site.Dir, last.Release.Short(), last.Published.Format(time.DateTime))
	return site.NewRelease(last.Manifest, nil, w.beacon(), last.Published), func() error { return nil }, nil
}

// listTimeout bounds how long the targets may take to say what they store.
const listTimeout = time.Minute

// stored asks the targets for files that they hold and the release has not. A target that
// cannot be asked is told of: extra pages of its origin may go unseen.
func (w *workspace) stored(ctx context.Context, rel *site.Release, d *display) []string {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	dests, err := w.destinations(ctx)
	if err != nil {
		d.line("note     %v; extra pages there are looked for among earlier releases only", err)
	}
	found := make([][]string, len(dests))
	var all sync.WaitGroup
	for i, dest := range dests {
		all.Go(func() {
			plan, err := dest.Plan(ctx, rel)
			if err != nil {
				d.Note(dest.Name, fmt.Sprintf("cannot be asked what it stores, so extra pages are looked for among earlier releases only: %v", err))
			}
			found[i] = plan.Changes.Delete
		})
	}
	all.Wait()
	return slices.Concat(found...)
}
