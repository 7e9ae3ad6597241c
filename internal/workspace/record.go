package workspace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/humanize"
	"mirror/internal/publish"
	"mirror/internal/wait"
)

// noting is how long a note of what was done may take, also when it was interrupted.
const noting = 5 * time.Second

// recordCheck remembers a check that a person ran, unless it was interrupted or misused. One
// that did not look at everything, or was lenient, says nothing of episodes.
func (w *Workspace) recordCheck(ctx context.Context, partial bool, began time.Time, v diff.Verdict, failure error) {
	if _, misused := errors.AsType[*UsageError](failure); misused || ctx.Err() != nil {
		return
	}
	row, differences := history.CheckOf(v)
	if failure != nil {
		row = history.Check{Started: began, Elapsed: time.Since(began), Err: failure.Error()}
	}
	row.Partial = row.Partial || partial
	w.note(ctx, "check", func(ctx context.Context, h *history.Store) error {
		ahead, err := ahead(ctx, h, row)
		if err != nil {
			return err
		}
		row.Partial = row.Partial || ahead
		_, err = h.RecordCheck(ctx, row, differences)
		return err
	})
}

// ahead reports whether a check compared with another release than the one published last
// from here: the origins need not have it yet. Where nothing was published from here it is
// unknown.
func ahead(ctx context.Context, h *history.Store, c history.Check) (bool, error) {
	past, err := h.Sequence(ctx)
	return c.Err == "" && len(past) > 0 && past[0].Release != c.Release, err
}

// recordPublish remembers a publish that a person ran, also one that was interrupted.
func (w *Workspace) recordPublish(ctx context.Context, began time.Time, r *publish.Report, failure error) {
	row := publishRow(r)
	row.Started, row.Elapsed = began, time.Since(began)
	if failure != nil {
		row.Err = failure.Error()
	}
	w.note(ctx, "publish", func(ctx context.Context, h *history.Store) error {
		_, err := h.RecordPublish(ctx, row)
		return err
	})
}

// note writes to the history, if anything can be written to the state folder. What was done
// is done: that it is not remembered is a warning.
func (w *Workspace) note(ctx context.Context, what string, do func(ctx context.Context, h *history.Store) error) {
	if w.State.Sealed() {
		return
	}
	ctx, done := wait.Outlive(ctx, noting)
	defer done()
	err := w.remember(ctx, func(h *history.Store) error { return do(ctx, h) })
	if err != nil {
		w.options.Warnings.Add("the %s is not remembered: %v", what, err)
	}
}

// publishRow is what the history keeps of a publish. One that found all targets with the release is
// unchanged, also where origins drift: it made nothing live.
func publishRow(r *publish.Report) history.Publish {
	p := history.Publish{Outcome: string(r.Outcome), Release: r.Release, Previous: r.Previous, Files: r.Files, Window: r.Window}
	p.Details.Rollback = r.Rollback
	for _, t := range r.Targets {
		p.Sent += t.SentBytes
		c := t.Plan.Changes
		row := history.PublishTarget{
			Name: t.Name, Type: t.Kind, From: t.Plan.Live.Release, To: r.Release, Add: len(c.Add), Change: len(c.Change), Delete: len(c.Delete), Same: c.Same,
			SentFiles: t.SentFiles, SentBytes: t.SentBytes, Stage: t.Stage, Commit: t.Commit, Committed: t.Committed,
		}
		if t.Err != nil {
			row.Err = t.Err.Error()
		}
		p.Details.Targets = append(p.Details.Targets, row)
	}
	if r.Outcome == publish.Diverged && r.Verdict != nil {
		p.Details.Reason = reasonOf(*r.Verdict)
	}
	if r.Outcome == publish.Diverged && !r.Committed() {
		p.Outcome, p.Err = string(publish.Unchanged), disagreement(r).Error()
	}
	return p
}

// reasonOf says which origins do not serve the release, and how.
func reasonOf(v diff.Verdict) string {
	var parts []string
	for _, o := range v.Origins {
		switch {
		case o.Err != nil:
			parts = append(parts, fmt.Sprintf("%s: %v", o.Name, o.Err))
		case len(o.Differences) > 0:
			first := o.Differences[0]
			parts = append(parts, fmt.Sprintf("%s: %s, such as %s %s", o.Name, humanize.Plural(diff.PagesOf(o.Differences), "difference"), first.Kind, first.Path))
		}
	}
	return strings.Join(parts, "; ")
}
