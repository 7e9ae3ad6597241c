package summary

import (
	"context"
	"time"

	"mirror/internal/history"
	"mirror/reports"
)

// Parts says what of the history is listed.
type Parts struct {
	Releases, Publishes, Checks, Episodes, Runs bool
}

// List lists parts of the history from since on, the newest first, limit of each at most; 0
// is for all.
func List(ctx context.Context, h *history.Store, parts Parts, since time.Time, limit int) (reports.History, error) {
	doc := reports.History{Schema: "mirror.history/v1"}
	for _, part := range []struct {
		asked bool
		add   func() error
	}{
		{parts.Releases, func() error { return addReleases(ctx, h, &doc, since, limit) }},
		{parts.Publishes, func() error { return listPublishes(ctx, h, &doc, since, limit) }},
		{parts.Checks, func() error { return listChecks(ctx, h, &doc, since, limit) }},
		{parts.Episodes, func() error { return listEpisodes(ctx, h, &doc, since, limit) }},
		{parts.Runs, func() error { return listRuns(ctx, h, &doc, since, limit) }},
	} {
		if !part.asked {
			continue
		}
		if err := part.add(); err != nil {
			return doc, err
		}
	}
	return doc, nil
}

func addReleases(ctx context.Context, h *history.Store, doc *reports.History, since time.Time, limit int) error {
	if limit == 0 {
		limit = history.Keep
	}
	past, err := h.Past(ctx, limit, nil)
	doc.Releases = []reports.HistoryRelease{}
	for _, p := range past {
		if p.Published.Before(since) {
			continue
		}
		r := reports.HistoryRelease{Release: p.Release, Published: p.Published, Files: len(p.Manifest)}
		for _, f := range p.Manifest {
			r.Bytes += f.Size
		}
		doc.Releases = append(doc.Releases, r)
	}
	return err
}

func listPublishes(ctx context.Context, h *history.Store, doc *reports.History, since time.Time, limit int) error {
	found, err := h.Publishes(ctx, since, limit)
	doc.Publishes = each(found, publish)
	return err
}

func listChecks(ctx context.Context, h *history.Store, doc *reports.History, since time.Time, limit int) error {
	found, err := h.Checks(ctx, since, limit)
	doc.Checks = each(found, check)
	return err
}

func listEpisodes(ctx context.Context, h *history.Store, doc *reports.History, since time.Time, limit int) error {
	found, err := h.Episodes(ctx, history.EpisodeFilter{Since: since, Limit: limit})
	now := time.Now()
	doc.Episodes = each(found, func(e history.Episode) reports.PeriodEpisode { return episode(e, now) })
	return err
}

func listRuns(ctx context.Context, h *history.Store, doc *reports.History, since time.Time, limit int) error {
	found, err := h.Runs(ctx, history.RunFilter{Since: since, Limit: limit})
	doc.Runs = each(found, run)
	return err
}
