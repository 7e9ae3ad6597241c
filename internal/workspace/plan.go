package workspace

import (
	"context"
	"fmt"
	"slices"

	"mirror/internal/config"
	"mirror/internal/contentdiff"
	"mirror/internal/publish"
	"mirror/reports"
	"mirror/targets"
)

// PlanOptions say what a plan tells.
type PlanOptions struct {
	Contents bool // how the content of changed files differs from what is live
	Digests  bool // the digests of the files that are added or changed
	// Release is a staged release to plan for in place of the site, by the first digits of its ID.
	Release string
	// File is where the plan is going to be written to; "" for nowhere. In the site's folder it would be
	// published.
	File string
}

// PlanPublish says what a publish would do, and changes nothing. The plan is nil where there is
// nothing to report.
func (w *Workspace) PlanPublish(ctx context.Context, o PlanOptions) (*reports.Plan, error) {
	if at, inside := config.Inside(w.Config.Site.Dir, o.File); inside && o.File != "" {
		return nil, usage(fmt.Errorf("--out %s: it is in the site's folder, as %s, and would be published with the site (hint: write it beside that folder)", o.File, at))
	}
	rel, dests, options, err := w.prepare(ctx, PublishOptions{Release: o.Release})
	if err != nil {
		return nil, err
	}
	defer rel.Close()
	options.Learn = w.newLagBook(dests).expect
	report, err := publish.Plan(ctx, rel.Release, dests, options)
	if err == nil {
		w.lookAtOrigins(ctx, rel.Release, report)
		w.warnOfMixedContent(ctx, rel.Release, report)
	}
	if report == nil {
		return nil, err
	}
	for _, warning := range report.Warnings {
		w.options.Warnings.Add("%s", warning)
	}
	doc := w.planDocument(report, dests)
	doc.Staged = o.Release != ""
	if o.Digests {
		doc.Content = contentOf(rel.Manifest, doc)
	}
	if o.Contents && ctx.Err() == nil {
		doc.Diffs, doc.Undiffed = contentdiff.Of(ctx, rel.Release, contentChanges(dests, report))
	}
	return &doc, err
}

// contentChanges lists the paths whose content a publish would replace.
func contentChanges(dests []targets.Destination, report *publish.Report) []contentdiff.Change {
	var changes []contentdiff.Change
	for _, t := range report.Targets {
		i := slices.IndexFunc(dests, func(d targets.Destination) bool { return d.Name == t.Name })
		if i >= 0 && t.Plan.Live.Revision != "" {
			changes = append(changes, contentdiff.Change{Destination: dests[i], Paths: t.Plan.Changes.Contents()})
		}
	}
	return changes
}
