package workspace

import (
	"context"
	"slices"

	"mirror/internal/contentdiff"
	"mirror/internal/publish"
	"mirror/reports"
	"mirror/targets"
)

// PlanOptions say what a plan tells.
type PlanOptions struct {
	Contents bool // how the content of changed files differs from what is live
}

// PlanPublish says what a publish would do, and changes nothing. The plan is nil where there is
// nothing to report.
func (w *Workspace) PlanPublish(ctx context.Context, o PlanOptions) (*reports.Plan, error) {
	rel, dests, options, err := w.prepare(ctx, PublishOptions{})
	if err != nil {
		return nil, err
	}
	defer rel.Close()
	options.Learn = w.newLagBook(dests).expect
	report, err := publish.Plan(ctx, rel.Release, dests, options)
	if err == nil {
		w.lookAtOrigins(ctx, rel.Release, report)
	}
	if report == nil {
		return nil, err
	}
	doc := planDocument(report)
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

// planDocument is the report of a plan, without the contents' diffs.
func planDocument(r *publish.Report) reports.Plan {
	p := reports.Plan{Schema: reports.PlanSchema, Release: r.Release, Targets: []reports.PlanTarget{}, Order: []reports.PlanStep{}}
	for _, t := range r.Targets {
		row := reports.PlanTarget{
			Name: t.Name, Type: t.Kind, From: t.Plan.Live.Release, Add: list(t.Plan.Changes.Add), Change: list(t.Plan.Changes.Change),
			Delete: list(t.Plan.Changes.Delete), Same: t.Plan.Changes.Same, Bytes: t.Plan.Bytes, Error: text(t.Err),
			Foreign: list(t.Plan.Foreign), Kept: list(t.Plan.Kept), Metadata: []reports.PlanMetadata{},
		}
		for _, path := range t.Plan.Changes.Metadata {
			row.Metadata = append(row.Metadata, reports.PlanMetadata{Path: path, Detail: t.Plan.Metadata[path]})
		}
		p.Targets = append(p.Targets, row)
	}
	for _, s := range r.Schedule {
		p.Order = append(p.Order, reports.PlanStep{Name: s.Name, After: reports.Millis(s.After), Barrier: s.Barrier, Reason: s.Reason})
	}
	return p
}
