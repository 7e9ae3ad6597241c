package summary

import (
	"context"
	"math"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/reports"
)

// maxPublishes is how many publishes of a period are listed one by one.
const maxPublishes = 100

// addPublishes adds the publishes of the period and what their windows were.
func addPublishes(ctx context.Context, h *history.Store, p *reports.Period) error {
	before := p.Since.Add(-p.Until.Sub(p.Since))
	found, err := h.Publishes(ctx, before, 0)
	if err != nil {
		return err
	}
	p.Publishes = []reports.PeriodPublish{}
	var windows, earlier []diff.Window
	for _, one := range found {
		switch {
		case !one.Started.Before(p.Until):
		case one.Started.Before(p.Since):
			earlier = append(earlier, watched(one)...)
		default:
			windows = append(windows, watched(one)...)
			if p.PublishCount++; p.PublishCount <= maxPublishes {
				p.Publishes = append(p.Publishes, publish(one))
			}
		}
	}
	p.Windows = windowsOf(windows, earlier)
	return nil
}

// watched is the window of a publish, if there is one: one in which nothing changed says
// nothing.
func watched(p history.Publish) []diff.Window {
	if p.Window == nil || p.Window.Pages == 0 {
		return nil
	}
	return []diff.Window{*p.Window}
}

// windowsOf is nil where there are no windows.
func windowsOf(windows, before []diff.Window) *reports.PeriodWindows {
	if len(windows) == 0 {
		return nil
	}
	lower, upper := bounds(windows)
	s := &reports.PeriodWindows{Count: len(windows), P50: quantile(lower, upper, 0.5), P95: quantile(lower, upper, 0.95), Max: quantile(lower, upper, 1)}
	for _, w := range windows {
		if !w.Closed {
			s.Open++
		}
	}
	if len(before) == 0 {
		return s
	}
	lower, upper = bounds(before)
	then := quantile(lower, upper, 0.5)
	s.Before = &then
	if then.Upper != nil && s.P50.Upper != nil {
		s.Trend = &reports.Span{Lower: s.P50.Lower - *then.Upper, Upper: *s.P50.Upper - then.Lower}
	}
	return s
}

// unbounded is the upper bound of a window that is open.
const unbounded = time.Duration(math.MaxInt64)

// bounds lists the bounds of the windows, each in order.
func bounds(windows []diff.Window) (lower, upper []time.Duration) {
	for _, w := range windows {
		lower = append(lower, w.Lower)
		if w.Closed {
			upper = append(upper, w.Upper)
		} else {
			upper = append(upper, unbounded)
		}
	}
	slices.Sort(lower)
	slices.Sort(upper)
	return lower, upper
}

// quantile bounds the nearest rank: so many of all windows are no longer. The k-th smallest
// of any lengths is between the k-th smallest of their lower and of their upper bounds.
func quantile(lower, upper []time.Duration, q float64) reports.OpenSpan {
	k := max(1, int(math.Ceil(q*float64(len(lower))))) - 1
	span := reports.OpenSpan{Lower: reports.Millis(lower[k])}
	if upper[k] != unbounded {
		u := reports.Millis(upper[k])
		span.Upper = &u
	}
	return span
}
