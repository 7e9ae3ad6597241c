package html

import (
	"fmt"
	"html/template"
	"io"
	"time"

	"mirror/diff"
	"mirror/reports"
)

// maxCharts bounds how many windows a report shows as charts.
const maxCharts = 5

// reportView is a period as the template wants it.
type reportView struct {
	reports.Period
	Style  template.CSS // our own stylesheet
	Heat   heat
	Charts []reportChart
}

type reportChart struct {
	Publish reports.PeriodPublish
	Chart   *chart
}

// Report writes a period as one HTML file that needs nothing else and may be mailed: the
// dashboard's tables and charts, with the stylesheet inside and without links and script.
func Report(w io.Writer, p reports.Period) error {
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	t, err := template.New("report.html").Funcs(funcsAt(p.Until)).ParseFS(assets, "assets/*.html", "assets/report/report.html")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	v := reportView{Period: p, Style: template.CSS(style), Heat: reportHeat(p)} //nolint:gosec // a file of ours, no data
	for _, done := range p.Publishes {
		if shown := chartOf(done.Window); shown != nil && len(v.Charts) < maxCharts {
			v.Charts = append(v.Charts, reportChart{done, shown})
		}
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Headline says in one line how the period was.
func (v reportView) Headline() string {
	switch {
	case v.Empty():
		return "Nothing is known of this time"
	case v.Checks == 0:
		return "No check came to a verdict"
	case v.EpisodeCount == 0 && v.Agreement.Agreed == v.Checks:
		return "Every origin agreed all the time"
	case v.Agreement.Agreed == 0:
		return "No check saw all origins agree"
	}
	text := "All origins agreed for " + share(v.Agreement) + " of the time"
	if v.State != diff.Agrees {
		text += ", and not at its end"
	}
	return text
}

// Mood is the state that the headline is coloured for.
func (v reportView) Mood() diff.State {
	if v.Checks == 0 {
		return diff.Unknown
	}
	return v.State
}

// Share is an agreement in percent, so that only all of it is 100.
func (v reportView) Share(a reports.Agreement) string { return share(a) }

func share(a reports.Agreement) string {
	part := a.ByTime
	if part == nil {
		part = a.ByChecks
	}
	if part == nil {
		return "–"
	}
	return percent(int(*part*1e6), 1e6)
}

// Longest is the longest episode of an origin in words, "–" for none.
func (v reportView) Longest(o reports.PeriodOrigin) string {
	if o.Longest == nil {
		return "–"
	}
	return lengthOf(time.Duration(*o.Longest), (*time.Duration)(o.LongestUpper))
}

// Recovered is a mean time to recovery in words, "–" where no episode ended that has bounds.
func (v reportView) Recovered(r *reports.Recovery) string {
	if r == nil || r.Mean == nil {
		return "–"
	}
	return lengthOf(time.Duration(r.Mean.Lower), (*time.Duration)(&r.Mean.Upper))
}

// Bounds is a figure of the windows in words.
func (v reportView) Bounds(s reports.OpenSpan) string {
	if s.Upper == nil {
		return "at least " + took(time.Duration(s.Lower))
	}
	return took(time.Duration(s.Lower)) + " to " + took(time.Duration(*s.Upper))
}

func reportHeat(p reports.Period) heat {
	var names []string
	for _, o := range p.Origins {
		names = append(names, o.Name)
	}
	const day = 24 * time.Hour
	return heatOf(p.Days, names, p.Since.UTC().Truncate(day), p.Until.UTC().Add(-time.Nanosecond).Truncate(day).Add(day))
}

// maxRows is how many rows of a list a report shows; the others are folded.
const maxRows = 10

// FirstEpisodes are those that the report shows at once.
func (v reportView) FirstEpisodes() []reports.PeriodEpisode { return first(v.Episodes) }

// OtherEpisodes are those that it folds.
func (v reportView) OtherEpisodes() []reports.PeriodEpisode {
	return v.Episodes[len(v.FirstEpisodes()):]
}

// FirstPublishes are those that the report shows at once.
func (v reportView) FirstPublishes() []reports.PeriodPublish { return first(v.Publishes) }

// OtherPublishes are those that it folds.
func (v reportView) OtherPublishes() []reports.PeriodPublish {
	return v.Publishes[len(v.FirstPublishes()):]
}

func first[T any](rows []T) []T { return rows[:min(len(rows), maxRows)] }
