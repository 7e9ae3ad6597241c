package summary

import (
	"mirror/internal/history"
	"mirror/reports"
	"time"
)

// day is one origin's day.
func day(d history.Day) reports.PeriodDay {
	return reports.PeriodDay{
		Date: d.Date.UTC().Format(time.DateOnly), Origin: d.Origin, Checks: d.Checks, Agreed: d.Agreed, Drifted: d.Drifted, Unreachable: d.Unreachable,
		ByTime: byTime(d), ByChecks: byChecks(d), Pages: d.Pages, Matched: d.Matched, Elapsed: average(d),
	}
}

func byChecks(d history.Day) *float64 { return share(float64(d.Agreed), float64(d.Checks)) }

func byTime(d history.Day) *float64 {
	return share(float64(d.AgreedFor), float64(d.AgreedFor+d.DriftedFor+d.UnreachableFor))
}

func share(part, all float64) *float64 {
	if all == 0 {
		return nil
	}
	s := part / all
	return &s
}

func average(d history.Day) *reports.Millis {
	if d.Checks == 0 {
		return nil
	}
	m := reports.Millis(d.Elapsed / time.Duration(d.Checks))
	return &m
}
