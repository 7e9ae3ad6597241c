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
	byOrigin := map[string][]reports.PeriodEpisode{}
	for _, e := range found {
		one := episode(e, p.Until)
		p.Episodes = append(p.Episodes, one)
		byOrigin[e.Origin] = append(byOrigin[e.Origin], one)
	}
	p.Recovery = recovery(p.Episodes)
	for i := range p.Origins {
		sumUpEpisodes(&p.Origins[i], byOrigin[p.Origins[i].Name])
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

// sumUpEpisodes sums up an origin's episodes of the period.
func sumUpEpisodes(o *reports.PeriodOrigin, all []reports.PeriodEpisode) {
	if o.Recovery = recovery(all); o.Recovery == nil {
		return
	}
	var lower, upper reports.Millis
	bounded := true
	for _, e := range all {
		o.Open += lasting(e)
		lower = max(lower, e.Lower)
		if bounded = bounded && e.Upper != nil; bounded {
			upper = max(upper, *e.Upper)
		}
	}
	o.Episodes, o.Longest = len(all), &lower
	if bounded {
		o.LongestUpper = &upper
	}
}

// recovery is the mean time of those episodes that ended, nil where there is none at all.
func recovery(all []reports.PeriodEpisode) *reports.Recovery {
	if len(all) == 0 {
		return nil
	}
	var r reports.Recovery
	var lower, upper reports.Millis
	for _, e := range all {
		switch {
		case e.Closed == nil:
			r.Open++
		case e.Upper == nil:
			r.Unbounded++
		default:
			r.Episodes++
			lower, upper = lower+e.Lower, upper+*e.Upper
		}
	}
	if n := reports.Millis(r.Episodes); n > 0 {
		r.Mean = &reports.Span{Lower: lower / n, Upper: (upper + n - 1) / n}
	}
	return &r
}
