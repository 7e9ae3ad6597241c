package workspace

import (
	"context"
	"slices"
	"strings"
	"time"

	"mirror/internal/publish"
	"mirror/internal/staged"
	"mirror/reports"
	"mirror/scheduler"
)

// PublishDocument is the report of a publish, without how it ended.
func PublishDocument(r *publish.Report) *reports.Publish {
	doc := &reports.Publish{
		Schema: reports.PublishSchema, Outcome: string(r.Outcome), Release: r.Release, Previous: r.Previous, Rollback: r.Rollback,
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
		if !t.Rescued.IsZero() {
			row.Rescued = &t.Rescued
		}
		doc.Targets = append(doc.Targets, row)
	}
	for _, p := range r.Purges {
		doc.Purge = append(doc.Purge, purgeDocument(p))
	}
	for _, e := range r.Erased {
		doc.PurgedNow = append(doc.PurgedNow, reports.PurgedNow{Target: e.Name, Left: list(e.Left), Error: text(e.Err)})
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

// purgeDocument is what was removed from the caches before one origin.
func purgeDocument(p publish.Purge) reports.Purge {
	row := reports.Purge{
		Origin: p.Origin, Caches: list(p.Types), URLs: p.URLs, Requests: p.Requests, Rounds: p.Rounds,
		Began: p.Began, Elapsed: reports.Millis(p.Done.Sub(p.Began)), Error: text(p.Err),
	}
	if p.Visible != nil {
		row.Visible = &reports.Span{Lower: reports.Millis(p.Visible.Lower), Upper: reports.Millis(p.Visible.Upper)}
	}
	return row
}

// StagedRows lists the releases that are staged to go live later.
func (w *Workspace) StagedRows(ctx context.Context) ([]reports.StagedRelease, error) {
	all, err := w.StagedReleases(ctx)
	rows := []reports.StagedRelease{}
	for _, r := range all {
		rows = append(rows, w.stagedRow(r, time.Now()))
	}
	return rows, err
}

// stagedRow is a staged release with the first job of the schedule that makes it live.
func (w *Workspace) stagedRow(r staged.Release, now time.Time) reports.StagedRelease {
	row := reports.StagedRelease{Release: r.Release, Staged: r.At, Until: r.Until, Files: r.Files, Bytes: r.Bytes}
	for _, j := range w.Config.Schedule {
		if j.Release == "" || !strings.HasPrefix(string(r.Release), strings.ToLower(j.Release)) {
			continue
		}
		schedule, err := scheduler.Parse(j.Cron)
		if err != nil {
			continue // the config was validated
		}
		if due := schedule.Next(now).UTC(); !due.IsZero() && (row.Due == nil || due.Before(*row.Due)) {
			row.Job, row.Due = j.Name, &due
		}
	}
	return row
}

// ReleasesDocument lists releases that targets hold.
func (w *Workspace) ReleasesDocument(held []HeldRelease, waiting []staged.Release) reports.Releases {
	doc := reports.Releases{Schema: reports.ReleasesSchema, Releases: []reports.HeldRelease{}, Staged: []reports.StagedRelease{}}
	for _, r := range waiting {
		doc.Staged = append(doc.Staged, w.stagedRow(r, time.Now()))
	}
	for _, h := range held {
		row := reports.HeldRelease{Release: h.Release, Files: h.Files, Targets: list(h.Targets), Live: list(h.Live), Missing: []string{}, Purged: h.Purged}
		if !h.Published.IsZero() {
			row.Published = &h.Published
		}
		if !h.PurgedAt.IsZero() {
			row.PurgedAt = &h.PurgedAt
		}
		for _, t := range w.Config.Targets {
			if !slices.Contains(h.Targets, t.Name) {
				row.Missing = append(row.Missing, t.Name)
			}
		}
		doc.Releases = append(doc.Releases, row)
	}
	return doc
}
