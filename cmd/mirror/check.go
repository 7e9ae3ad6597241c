package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/history"
	"mirror/reports"
	"mirror/reports/formats"
	"mirror/site"
)

func (a *app) checkCommand() *cobra.Command {
	var g gate
	var with compareOptions
	var out *outputs[reports.Check]
	cmd := &cobra.Command{
		Use:   "check [URL URL…]",
		Short: "Hash the live pages of every origin; exit 1 when they disagree",
		Long: `Fetch every page of the release from every live origin, hash it, and compare it with
the release and so with every other origin. Also looked for: pages that should be gone,
those that a target still stores and those of earlier releases, and how a path that does
not exist is answered. A page that could not be fetched never counts as agreeing.

The release is the site's folder as it is now; where that is not there, the last release
published from here. A page that is of an earlier release is stale, and which release that
is the history here tells, or the targets: the branch's commits, the bucket's manifests,
the images. Where a newer release goes live during the check, it counts from then on.

` + aboutURLs + `

` + exitCodes,
		Example: `  mirror check
  mirror check --json | jq '.drift'
  mirror check --out junit=report.xml --out sarif=drift.sarif
  mirror check --wait 5m              # right after a publish made elsewhere
  mirror check --tolerate altered:feed.xml --max-unreachable 1%
  mirror check --sample 200           # with at least 95 % confidence, drift on under 1.5 % of the pages
  mirror check --live-only            # ask the origins only, not the targets' stores
  mirror check https://me.github.io/ https://my-blog.example.com/ https://blog.example.run/`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, urls []string) error {
			if err := cmp.Or(out.judge(), g.judge()); err != nil {
				return err
			}
			verdict, err := a.verdict(cmd, g, with, urls)
			if err != nil {
				return err
			}
			doc := reports.CheckOf(verdict)
			if err := ci(out, doc); err != nil {
				a.warnings.add("%v", err)
			}
			doc.Warnings = a.warnings.take()
			return ending(checkExit(verdict), out.write(doc))
		},
	}
	out = outputsOf(a, cmd, formats.Check())
	g.flags(cmd)
	g.configFlags(cmd)
	with.flags(cmd)
	return cmd
}

// verdict checks what the config says, or compares URLs with each other.
func (a *app) verdict(cmd *cobra.Command, g gate, with compareOptions, urls []string) (diff.Verdict, error) {
	if len(urls) > 0 {
		with.gate = g
		return a.compare(cmd.Context(), urls, with)
	}
	if err := with.unused(cmd); err != nil {
		return diff.Verdict{}, err
	}
	w, err := a.open()
	if err != nil {
		return diff.Verdict{}, err
	}
	began := time.Now()
	v, err := w.check(cmd.Context(), g)
	w.noteCheck(cmd.Context(), g, began, v, err)
	return v, err
}

// checkExit maps a verdict to its exit code.
func checkExit(v diff.Verdict) error { return stateExit(v.State()) }

// stateExit maps the state of all origins to the exit code, "" to that of nothing to judge.
func stateExit(state diff.State) error {
	switch state {
	case diff.Agrees, "":
		return nil
	case diff.Drifts:
		return &exit{exitDisagree, nil}
	}
	return &exit{exitFailed, nil}
}

// check does the whole of `mirror check`.
func (w *workspace) check(ctx context.Context, g gate) (diff.Verdict, error) {
	if len(w.origins()) == 0 {
		return diff.Verdict{}, usage(fmt.Errorf("%s: no target has an origin, so there is nothing to look at (hint: add origin: {url: …})", w.config.File))
	}
	d := w.app.display()
	defer d.Close()
	held := &stores{w: w, display: d}
	if !g.liveOnly {
		held = w.stores(ctx, d)
	}
	rel, done, err := w.reference(ctx, held, d)
	if err != nil {
		return diff.Verdict{}, err
	}
	defer done()
	if g.published {
		rel = w.published(ctx, rel, d)
	}
	o, err := w.inquiry(ctx, rel, held, g, d)
	if err != nil {
		return diff.Verdict{}, err
	}
	verdict, err := check.Await(ctx, w.origins(), o, g.wait)
	if err != nil {
		return diff.Verdict{}, err
	}
	g.tolerance.Since = w.liveFor(ctx, verdict)
	verdict.Tolerate(g.tolerance)
	verdict.Notes = append(verdict.Notes, held.notes...)
	return verdict, nil
}

// inquiry says what a check looks for: more than a publish, which knows what it did.
func (w *workspace) inquiry(ctx context.Context, rel *site.Release, held *stores, g gate, d *display) (check.Options, error) {
	absent := append(w.removed(ctx, rel.Manifest), held.extra(ctx, rel)...)
	if len(absent) == 0 && rel.Readable() {
		absent = held.removed(ctx, rel.Manifest)
	}
	if g.liveOnly && !w.remembersAny(ctx) {
		held.note("pages that were removed in earlier releases are not looked for: nothing is remembered here (hint: without --live-only the targets are asked)")
	}
	slices.Sort(absent)
	o := w.lookFor(rel, slices.Compact(absent), d)
	o.Past, o.Whole = []check.PastFunc{w.remembered(), held.past}, w.whole(held)
	o.Sample, o.Learn, o.Excerpts = g.sample, g.learn, w.app.verbose
	if g.trustETag {
		o.Trust = w.trust(ctx)
	}
	expected, err := w.expectedHeaders()
	o.Headers = check.Headers{Names: w.config.Check.Headers, Promised: expected}
	return o, err
}

// liveFor tells for how long the release has been live: by the history here, else by the
// earliest of the beacons that claim it. It is negative where neither tells, or tells of a time
// to come.
func (w *workspace) liveFor(ctx context.Context, v diff.Verdict) time.Duration {
	var since time.Time
	_ = w.remember(ctx, func(h *history.Store) error { // without a history the beacons are left
		past, _, err := h.Release(ctx, v.Release)
		since = past.Published
		return err
	})
	if since.IsZero() {
		for _, o := range v.Origins {
			if o.Release == v.Release && !o.Published.IsZero() && (since.IsZero() || o.Published.Before(since)) {
				since = o.Published
			}
		}
	}
	if since.IsZero() {
		return -1
	}
	return time.Since(since)
}

// reference returns the release to compare with: the site's folder, or where that is not
// there the last release that was published from here, or what most targets hold.
func (w *workspace) reference(ctx context.Context, held *stores, d *display) (*site.Release, func() error, error) {
	rel, err := w.scan(ctx, d)
	if err == nil {
		return rel.Release, rel.Close, nil
	}
	if !isMissing(err) {
		return nil, nil, err
	}
	last, pastErr := w.lastPublished(ctx)
	from := "published here on " + last.Published.Format(time.DateTime)
	if pastErr != nil {
		var ok bool
		if last, ok = held.most(ctx); !ok {
			return nil, nil, errors.Join(err, pastErr)
		}
		from = "which most targets hold"
	}
	d.line("site     %s is not there; comparing with release %s, %s", w.config.Site.Dir, last.Release.Short(), from)
	return site.NewRelease(last.Manifest, nil, w.beacon(), last.Published), func() error { return nil }, nil
}

// published returns the release that was published last from here, where the site's folder
// has become another one since: what nobody has published is not missing anywhere.
func (w *workspace) published(ctx context.Context, rel *site.Release, d *display) *site.Release {
	last, err := w.lastPublished(ctx)
	if err != nil || last.Release == rel.ID() {
		return rel
	}
	d.line("site     %s is not published as it is now; comparing with release %s, published here on %s",
		w.config.Site.Dir, last.Release.Short(), last.Published.Format(time.DateTime))
	return site.NewRelease(last.Manifest, nil, w.beacon(), last.Published)
}
