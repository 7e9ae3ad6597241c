package html

import (
	"fmt"
	"slices"
	"time"

	"mirror/internal/humanize"
	"mirror/reports"
)

// heat is the days × origins table: the newest day first, so that it is met without scrolling.
type heat struct {
	Origins []string
	Days    []heatDay
}

type heatDay struct {
	Day   time.Time
	Cells []cell
}

// cell is one origin's day.
type cell struct {
	Level string // none, all, most, some or few: how often it agreed
	Text  string // as shown
	Words string // the same in words
}

// heatOf lays the days of a period out, also those of which nothing is known.
func heatOf(days []reports.PeriodDay, origins []string, from, to time.Time) heat {
	h := heat{Origins: slices.Clone(origins)}
	known := map[string]reports.PeriodDay{}
	for _, d := range days {
		known[d.Origin+"\x00"+d.Date] = d
		if !slices.Contains(h.Origins, d.Origin) {
			h.Origins = append(h.Origins, d.Origin)
		}
	}
	for day := to.AddDate(0, 0, -1); !day.Before(from); day = day.AddDate(0, 0, -1) {
		row := heatDay{Day: day}
		for _, origin := range h.Origins {
			row.Cells = append(row.Cells, cellOf(known[origin+"\x00"+day.Format(time.DateOnly)]))
		}
		h.Days = append(h.Days, row)
	}
	return h
}

func cellOf(d reports.PeriodDay) cell {
	if d.Checks == 0 {
		return cell{"none", "–", "no check"}
	}
	c := cell{Level: level(d), Text: fmt.Sprintf("%d %%", 100*d.Agreed/d.Checks), Words: fmt.Sprintf("agreed in %d of %s", d.Agreed, humanize.Plural(d.Checks, "check"))}
	if d.Drifted > 0 {
		c.Words += fmt.Sprintf(", drifted in %d", d.Drifted)
	}
	if d.Unreachable > 0 {
		c.Words += fmt.Sprintf(", was unreachable in %d", d.Unreachable)
	}
	return c
}

// level is how often an origin agreed on a day, in four steps.
func level(d reports.PeriodDay) string {
	switch {
	case d.Checks == 0:
		return "none"
	case d.Agreed == d.Checks:
		return "all"
	case d.Agreed*100 >= 99*d.Checks:
		return "most"
	case d.Agreed*100 >= 90*d.Checks:
		return "some"
	}
	return "few"
}

// strip is an origin's days as a row of small bars, the oldest first.
type strip struct {
	Bars  []stripBar
	Words string // all of it in words
}

type stripBar struct {
	X, Height, Y int
	Level        string
}

// The strip's measures, in pixels.
const (
	stripStep   = 6
	stripHeight = 18
)

// stripOf lays the last n days up to and with today out.
func stripOf(days []reports.PeriodDay, now time.Time, n int) strip {
	var s strip
	today := now.UTC().Truncate(24 * time.Hour)
	known := map[string]reports.PeriodDay{}
	checks, agree := 0, 0
	for _, d := range days {
		known[d.Date] = d
		checks += d.Checks
		agree += d.Agreed
	}
	for i := range n {
		d := known[today.AddDate(0, 0, i+1-n).Format(time.DateOnly)]
		bar := stripBar{X: i * stripStep, Height: stripHeight, Level: level(d)}
		switch bar.Level {
		case "none":
			bar.Height = 2
		case "few":
			bar.Height = 6
		case "some":
			bar.Height = 10
		case "most":
			bar.Height = 14
		}
		bar.Y = stripHeight - bar.Height
		s.Bars = append(s.Bars, bar)
	}
	s.Words = fmt.Sprintf("no check in %d days", n)
	if checks > 0 {
		s.Words = fmt.Sprintf("%s of %s in %d days", percent(agree, checks), humanize.Plural(checks, "check"), n)
	}
	return s
}
