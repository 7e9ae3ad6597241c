package summary

import (
	"cmp"
	"context"
	"slices"

	"mirror/internal/history"
	"mirror/reports"
)

// maxEpisodes is how many episodes of a period are listed one by one.
const maxEpisodes = 500

// addEpisodes adds what drifted in the period, to the report and to its origins.
func addEpisodes(ctx context.Context, h *history.Store, p *reports.Period) error {
	found, err := h.Episodes(ctx, history.EpisodeFilter{Since: p.Since})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(e history.Episode) bool { return !e.Opened.Before(p.Until) })
	p.Episodes, p.EpisodeCount = []reports.PeriodEpisode{}, len(found)
	for _, e := range found {
		one := episode(e, p.Until)
		p.Episodes = append(p.Episodes, one)
		if i := slices.IndexFunc(p.Origins, func(o reports.PeriodOrigin) bool { return o.Name == e.Origin }); i >= 0 {
			count(&p.Origins[i], one)
		}
	}
	slices.SortStableFunc(p.Episodes, func(a, b reports.PeriodEpisode) int {
		return cmp.Or(lasting(b)-lasting(a), b.Opened.Compare(a.Opened), cmp.Compare(b.ID, a.ID))
	})
	p.Episodes = p.Episodes[:min(len(p.Episodes), maxEpisodes)]
	return nil
}

func lasting(e reports.PeriodEpisode) int {
	if e.Closed == nil {
		return 1
	}
	return 0
}

func count(o *reports.PeriodOrigin, e reports.PeriodEpisode) {
	o.Episodes++
	o.Open += lasting(e)
	if o.Longest == nil || *o.Longest < e.Lower {
		o.Longest = &e.Lower
	}
}
