package dashboard

import (
	"fmt"
	"html/template"
	"io"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/reports"
)

// maxPictures bounds how many windows a report shows as pictures.
const maxPictures = 5

// reportView is a period as the templates of the pages want it.
type reportView struct {
	reports.Period
	Style    template.CSS // our own stylesheet
	Now      time.Time
	Heat     heat
	Drift    []history.Episode
	Releases []history.Publish
	Pictures []reportPicture
}

type reportPicture struct {
	Publish history.Publish
	Picture *picture
}

// Report writes a period as one HTML file that needs nothing else and may be mailed: the
// dashboard's tables and pictures, with the stylesheet inside and without links and script.
func Report(w io.Writer, p reports.Period) error {
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	t, err := template.New("report.html").Funcs(funcsAt(p.Until)).ParseFS(assets, "assets/*.html", "assets/report/report.html")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	v := reportView{Period: p, Style: template.CSS(style), Now: p.Until, Heat: reportHeat(p)} //nolint:gosec // a file of ours, no data
	for _, e := range p.Episodes {
		v.Drift = append(v.Drift, episodeIn(e))
	}
	for _, done := range p.Publishes {
		publish := publishIn(done)
		v.Releases = append(v.Releases, publish)
		if shown := pictureOf(publish.Window); shown != nil && len(v.Pictures) < maxPictures {
			v.Pictures = append(v.Pictures, reportPicture{publish, shown})
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
		return unknown
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

// Millis is a duration of a report in words.
func (v reportView) Millis(m reports.Millis) string { return took(time.Duration(m)) }

// Long is a long duration of a report in words, "–" for none.
func (v reportView) Long(m *reports.Millis) string {
	if m == nil {
		return "–"
	}
	return span(time.Duration(*m))
}

// Bounds is a figure of the windows in words.
func (v reportView) Bounds(s reports.OpenSpan) string {
	if s.Upper == nil {
		return "at least " + took(time.Duration(s.Lower))
	}
	return took(time.Duration(s.Lower)) + " to " + took(time.Duration(*s.Upper))
}

func reportHeat(p reports.Period) heat {
	var days []history.Day
	for _, d := range p.Days {
		date, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			continue // no day of a calendar, so none of the table
		}
		days = append(days, history.Day{Date: date, Origin: d.Origin, Checks: d.Checks, Agreed: d.Agreed, Drifted: d.Drifted, Unreachable: d.Unreachable})
	}
	var names []string
	for _, o := range p.Origins {
		names = append(names, o.Name)
	}
	const day = 24 * time.Hour
	return heatOf(days, names, p.Since.UTC().Truncate(day), p.Until.UTC().Add(-time.Nanosecond).Truncate(day).Add(day))
}

func episodeIn(e reports.PeriodEpisode) history.Episode {
	return history.Episode{ID: e.ID, Origin: e.Origin, Kind: e.Kind, LastGood: timeOf(e.LastGood), Opened: e.Opened, LastSeen: e.LastSeen,
		Closed: timeOf(e.Closed), Pages: e.Pages, MostPages: e.MostPages, Paths: e.Paths, Release: e.Release, Detail: e.Detail, Excerpt: e.Excerpt, URL: e.URL}
}

func publishIn(p reports.PeriodPublish) history.Publish {
	publish := history.Publish{ID: p.ID, Job: p.Job, Started: p.Started, Elapsed: time.Duration(p.Elapsed), Outcome: p.Outcome,
		Release: p.Release, Previous: p.Previous, Files: p.Files, Sent: p.Bytes, Err: p.Error}
	if p.Window != nil {
		publish.Window = windowIn(*p.Window)
	}
	return publish
}

func windowIn(doc reports.Window) *diff.Window {
	w := &diff.Window{Closed: doc.Closed, Lower: time.Duration(doc.Lower), Pages: doc.Pages}
	if doc.Upper != nil {
		w.Upper = time.Duration(*doc.Upper)
	}
	for _, o := range doc.Origins {
		row := diff.OriginWindow{Name: o.Name, FirstNew: boundsIn(o.FirstNew), AllNew: boundsIn(o.AllNew),
			Reversals: o.Reversals, Polls: o.Polls, Flaps: o.Flaps, Open: make([]string, o.Open)}
		if o.Behind != nil {
			behind := boundsIn(*o.Behind)
			row.Behind = &behind
		}
		w.Origins = append(w.Origins, row)
	}
	for _, f := range doc.Fresh {
		w.Fresh = append(w.Fresh, diff.Freshness{T: time.Duration(f.T), P: f.P})
	}
	return w
}

func boundsIn(b reports.Bounds) diff.Bounds {
	return diff.Bounds{After: b.After, Before: timeOf(b.Before)}
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
