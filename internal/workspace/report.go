package workspace

import (
	"context"
	"time"

	"mirror/internal/history"
	"mirror/internal/summary"
	"mirror/reports"
)

// Report tells from the history how the origins did from since until until.
func (w *Workspace) Report(ctx context.Context, since, until time.Time) (p reports.Period, err error) {
	err = w.remember(ctx, func(h *history.Store) error {
		p, err = summary.Of(ctx, h, since, until)
		return err
	})
	return p, err
}

// ListHistory lists parts of the history since a time, rows of each at most; 0 for all.
func (w *Workspace) ListHistory(ctx context.Context, parts summary.Parts, since time.Time, rows int) (doc reports.History, err error) {
	err = w.remember(ctx, func(h *history.Store) error {
		doc, err = summary.List(ctx, h, parts, since, rows)
		return err
	})
	return doc, err
}
