// Package summary makes report models of what the history holds. It is the only mapping
// from one to the other.
package summary

import (
	"cmp"
	"context"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/reports"
)

// Of reports on the time from since up to but not including until.
func Of(ctx context.Context, h *history.Store, since, until time.Time) (reports.Period, error) {
	p := reports.Period{Schema: "mirror.report/v1", Since: since.UTC(), Until: until.UTC()}
	days, err := h.Between(ctx, since, until)
	if err != nil {
		return p, err
	}
	before, err := h.Between(ctx, since.Add(-until.Sub(since)), since)
	if err != nil {
		return p, err
	}
	last, err := addState(ctx, h, &p)
	if err != nil {
		return p, err
	}
	sums, earlier := sumUp(days), sumUp(before)
	p.Checks, p.Failed = sums[history.All].Checks, sums[history.All].Failed
	p.Agreement = agreement(sums[history.All], earlier[history.All])
	p.Origins = origins(last, days, sums, earlier, until)
	p.Days = daily(days, p.Origins)
	if err := addEpisodes(ctx, h, &p); err != nil {
		return p, err
	}
	if err := addPublishes(ctx, h, &p); err != nil {
		return p, err
	}
	return p, addSlowest(ctx, h, &p)
}

// addState adds how things stood at the end of the period, and returns the check that saw that.
// Before the first check nothing is known of the origins but which they are.
func addState(ctx context.Context, h *history.Store, p *reports.Period) (history.Check, error) {
	last, known, err := h.LastCheckBefore(ctx, p.Until)
	if err != nil {
		return last, err
	}
	if known {
		p.Last, p.Release, p.State = &last.Started, last.Release, together(last)
		return last, nil
	}
	p.State = diff.Unknown
	later, _, err := h.LastCheck(ctx)
	for _, o := range later.Origins {
		last.Origins = append(last.Origins, diff.OriginState{Name: o.Name, URL: o.URL, State: diff.Unknown})
	}
	return last, err
}

// sumUp adds up the days of each origin.
func sumUp(days []history.Day) map[string]history.Day {
	sums := map[string]history.Day{}
	for _, d := range days {
		sums[d.Origin] = sums[d.Origin].Plus(d)
	}
	return sums
}

func agreement(d, before history.Day) reports.Agreement {
	a := reports.Agreement{
		Checks: d.Checks, Agreed: d.Agreed, Drifted: d.Drifted, Unreachable: d.Unreachable, ByChecks: byChecks(d), ByTime: byTime(d),
		AgreedFor: reports.Millis(d.AgreedFor), DriftedFor: reports.Millis(d.DriftedFor), UnreachableFor: reports.Millis(d.UnreachableFor),
	}
	a.Before = cmp.Or(byTime(before), byChecks(before))
	return a
}

// origins lists those of the last check, and then those that only the period knows.
func origins(last history.Check, days []history.Day, sums, before map[string]history.Day, now time.Time) []reports.PeriodOrigin {
	all := []reports.PeriodOrigin{}
	named := map[string]bool{history.All: true}
	add := func(o reports.PeriodOrigin) {
		d := sums[o.Name]
		o.Agreement, o.Elapsed = agreement(d, before[o.Name]), average(d)
		named[o.Name] = true
		all = append(all, o)
	}
	for _, o := range last.Origins {
		add(reports.PeriodOrigin{
			Name: o.Name, URL: o.URL, State: o.State, Release: o.Release, Pages: o.Pages, Match: o.Match, Error: o.Err,
			Certificate: reports.CertificateOf(o.Facts.Expires, now),
		})
	}
	for _, d := range days {
		if !named[d.Origin] {
			add(reports.PeriodOrigin{Name: d.Origin})
		}
	}
	return all
}

// daily lists the days, each in the order of the origins.
func daily(days []history.Day, origins []reports.PeriodOrigin) []reports.PeriodDay {
	place := map[string]int{}
	for i, o := range origins {
		place[o.Name] = i
	}
	days = slices.DeleteFunc(slices.Clone(days), func(d history.Day) bool { return d.Origin == history.All })
	slices.SortStableFunc(days, func(a, b history.Day) int {
		return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(place[a.Origin], place[b.Origin]))
	})
	return each(days, day)
}

// maxSlow is how many of the slowest pages are listed.
const maxSlow = 10

func addSlowest(ctx context.Context, h *history.Store, p *reports.Period) error {
	slow, err := h.Slowest(ctx, p.Since, p.Until, maxSlow)
	p.Slowest = []reports.PeriodSlow{}
	for _, s := range slow {
		p.Slowest = append(p.Slowest, reports.PeriodSlow{Origin: s.Origin, Path: s.Path, Took: reports.Millis(s.Took), At: s.At, Times: s.Times})
	}
	return err
}
