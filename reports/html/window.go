package html

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/reports"
)

// chart is a window as bars: for each origin when it cannot have been new yet, when it may
// have begun to turn, when it was mixed for certain, when it may have ended, and since when
// it was new. Places are shares of the chart's width, 0 to 100.
type chart struct {
	Rows   []row
	Ticks  []tick
	Height int
	AxisAt int
	Lower  bar // how long the window lasted at least, from its earliest certain beginning
	Upper  bar // and at most; no width while it is open
	Closed bool
	Zero   time.Time // the left edge
	Fresh  *freshCurve
	Window reports.Window
	LabelY int
}

type row struct {
	Name    string
	Front   bool
	Top     int // pixels
	Old     bar // no visitor can have met anything new
	Begin   bar // the first new page turned up in here
	Mixed   bar // old and new pages, for certain
	End     bar // the last old page was met in here
	New     bar // all is new
	Open    bool
	Facts   originFacts
	Summary string
}

// originFacts is what the table beside the chart says of a row.
type originFacts struct {
	FirstNew, AllNew string
	Behind           string
	Polls, Reversals int
	Open             int
	Flaps            bool
}

type bar struct{ X, Width float64 }

type tick struct {
	X    float64
	Text string
	At   string // text-anchor
}

// The chart's measures in pixels; its width is whatever the page has.
const (
	rowHeight = 46
	barTop    = 20
)

// chartOf lays a window out. It is nil where there is nothing to show.
func chartOf(w *reports.Window) *chart {
	turned := func(o reports.WindowOrigin) bool { return !o.Unchanged }
	if w == nil || w.Pages == 0 || !slices.ContainsFunc(w.Origins, turned) {
		return nil
	}
	zero, end := extent(w)
	scale := scale{zero, max(end.Sub(zero), time.Millisecond)}
	p := &chart{Closed: w.Upper != nil, Zero: zero, Window: *w, Fresh: curveOf(w.Fresh)}
	for i, o := range w.Origins {
		p.Rows = append(p.Rows, scale.row(i, o))
	}
	p.LabelY = len(w.Origins) * rowHeight
	p.AxisAt = p.LabelY + 2*rowHeight
	p.Height = p.AxisAt + 24
	p.overall(w, scale)
	p.Ticks = scale.ticks()
	return p
}

// extent is what the chart spans: from the earliest instant at which anything may have been
// new to a little after the latest that is known.
func extent(w *reports.Window) (zero, end time.Time) {
	for _, o := range w.Origins {
		if o.Unchanged {
			continue
		}
		if zero.IsZero() || o.FirstNew.After.Before(zero) {
			zero = o.FirstNew.After
		}
		for _, t := range []time.Time{o.FirstNew.After, timeOf(o.FirstNew.Before), o.AllNew.After, timeOf(o.AllNew.Before)} {
			if t.After(end) {
				end = t
			}
		}
	}
	return zero, end.Add(end.Sub(zero) / 20)
}

// overall lays out the two bars for the whole window.
func (p *chart) overall(w *reports.Window, s scale) {
	begin, seen := s.zero, false
	for _, o := range w.Origins {
		if b := timeOf(o.FirstNew.Before); !o.Unchanged && !b.IsZero() && (!seen || b.Before(begin)) {
			begin, seen = b, true
		}
	}
	p.Lower = s.between(begin, begin.Add(time.Duration(w.Lower)))
	if w.Upper != nil {
		p.Upper = s.between(s.zero, s.zero.Add(time.Duration(*w.Upper)))
	}
}

// scale turns instants into places.
type scale struct {
	zero time.Time
	span time.Duration
}

func (s scale) at(t time.Time) float64 {
	return min(100, max(0, 100*float64(t.Sub(s.zero))/float64(s.span)))
}

// between is the bar from one instant to another, of no width where they are the other way
// round.
func (s scale) between(from, to time.Time) bar {
	x := s.at(from)
	return bar{x, max(0, s.at(to)-x)}
}

// row lays out one origin. Where first-new and all-new may have been the same instant there
// is no time for which it was mixed for certain: both lie in one stretch of doubt.
func (s scale) row(i int, o reports.WindowOrigin) row {
	end := s.zero.Add(s.span)
	r := row{Name: o.Name, Front: o.Front, Top: i * rowHeight, Open: o.AllNew.Before == nil, Facts: s.facts(o)}
	if o.Unchanged {
		r.New, r.Summary = s.between(s.zero, end), "no change"
		return r
	}
	r.Old = s.between(s.zero, o.FirstNew.After)
	sure, over := timeOf(o.FirstNew.Before), timeOf(o.AllNew.Before)
	if sure.IsZero() {
		sure = end
	}
	if over.IsZero() {
		over = end
	} else {
		r.New = s.between(over, end)
	}
	if o.AllNew.After.After(sure) {
		r.Begin = s.between(o.FirstNew.After, sure)
		r.Mixed = s.between(sure, o.AllNew.After)
		r.End = s.between(o.AllNew.After, over)
	} else {
		r.Begin = s.between(o.FirstNew.After, over)
	}
	r.Summary = "first new " + r.Facts.FirstNew + ", all new " + r.Facts.AllNew
	return r
}

func (s scale) facts(o reports.WindowOrigin) originFacts {
	f := originFacts{FirstNew: s.words(o.FirstNew), AllNew: s.words(o.AllNew), Polls: o.Polls, Reversals: o.Reversals, Open: o.Open, Flaps: o.Flaps}
	if o.Unchanged {
		f.FirstNew, f.AllNew = "no change", "no change"
		return f
	}
	if o.Behind != nil {
		f.Behind = s.words(*o.Behind)
	}
	return f
}

// words says between which times after the left edge an instant lies.
func (s scale) words(b reports.Bounds) string {
	after := took(b.After.Sub(s.zero))
	if b.Before == nil {
		return "after " + after + ", not seen yet"
	}
	return after + " to " + took(b.Before.Sub(s.zero))
}

// ticks divides the time axis at round times, three to six of them, so that their names fit
// on a phone.
func (s scale) ticks() []tick {
	every := time.Millisecond
	for i := 0; s.span/every > 5; i++ {
		every = every * []time.Duration{2, 5, 2}[i%3] / []time.Duration{1, 2, 1}[i%3]
	}
	all := []tick{{0, "0", "start"}}
	for t := every; t <= s.span; t += every {
		at := tick{100 * float64(t) / float64(s.span), round(t), "middle"}
		if at.X > 94 {
			at.At = "end"
		}
		all = append(all, at)
	}
	return all
}

// round names a round time.
func round(t time.Duration) string {
	switch {
	case t < time.Second:
		return fmt.Sprintf("%d ms", t.Milliseconds())
	case t < time.Minute:
		return fmt.Sprintf("%g s", t.Seconds())
	}
	return span(t)
}

// freshCurve is the t-visibility curve as steps.
type freshCurve struct {
	Points string // of a polyline in a square of 100 by 100, the origin at the top left
	End    string // the time at the right edge
	Half   string // half of the way there
	Steps  []step
}

// step is a time from which on at least a share of the readers met the new release.
type step struct{ Share, At string }

// curveOf draws the curve. It is nil where nothing was read.
func curveOf(points []reports.Fresh) *freshCurve {
	if len(points) == 0 {
		return nil
	}
	end := max(time.Duration(points[len(points)-1].T), time.Millisecond)
	c := &freshCurve{End: took(end), Half: took(end / 2)}
	var b strings.Builder
	level := 0.0
	for _, p := range points {
		x := 100 * float64(p.T) / float64(end)
		fmt.Fprintf(&b, "%.2f,%.2f %.2f,%.2f ", x, 100-100*level, x, 100-100*p.P)
		level = p.P
	}
	c.Points = strings.TrimSpace(b.String())
	for _, share := range []float64{0.5, 0.9, 0.99, 1} {
		c.Steps = append(c.Steps, step{fresh(share), reached(points, share)})
	}
	return c
}

// reached tells from when on the curve stays at or above a share.
func reached(points []reports.Fresh, share float64) string {
	at := -1
	for i, p := range points {
		switch {
		case p.P < share-1e-9:
			at = -1
		case at < 0:
			at = i
		}
	}
	if at < 0 {
		return "not reached"
	}
	return "after " + took(time.Duration(points[at].T))
}

// timeOf is a time that may be missing, zero where it is.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
