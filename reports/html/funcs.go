package html

import (
	"html/template"
	"net/url"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/reports"
	"mirror/site"
)

// list is a table of many.
type list struct {
	Caption string
	Rows    any
	Plain   bool // without links
	All     int  // origins that the config names, for checks
}

// funcsAt are the functions of the templates, for a page as of an instant. None of them
// returns markup.
func funcsAt(now time.Time) template.FuncMap {
	return template.FuncMap{
		"ago":    func(t time.Time) string { return ago(now.Sub(t)) },
		"bytes":  humanize.Bytes,
		"chart":  chartOf,
		"clock":  func(t time.Time) string { return clock(t, now) },
		"counts": counts,
		"day":    func(t time.Time) string { return t.UTC().Format("Mon 2 Jan") },
		"found":  found,
		"todo":   func(k diff.Kind) string { return k.Info().Todo },
		"pages":  pagesOf,
		"are":    pagesAre,
		"ran":    ran,
		"fresh":  fresh,
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"kind":   func(k diff.Kind) string { return k.Info().Short },
		"lasted": lasted,
		"link":   link,
		"lines":  lines,
		"checks": func(caption string, rows any, all int) list { return list{Caption: caption, Rows: rows, All: all} },
		"list": func(caption string, rows any, plain bool) list {
			return list{Caption: caption, Rows: rows, Plain: plain}
		},
		"openness": openness,
		"percent":  percent,
		"plural":   humanize.Plural,
		"plural64": func(n int64, thing string) string { return humanize.Plural(int(n), thing) },
		"segment":  url.PathEscape,
		"short":    site.ID.Short,
		"show":     Show,
		"sign":     sign,
		"since":    now.Sub,
		"span":     span,
		"state":    stateClass,
		"strip":    func(days []reports.PeriodDay, n int) strip { return stripOf(days, now, n) },
		"took":     func(m reports.Millis) string { return took(time.Duration(m)) },
		"window":   windowWords,
		"withSign": withSign,
	}
}

// counts lists how many pages drift in which way, "" for none.
func counts(m map[diff.Kind]int) string {
	if text := reports.Counts(m); text != reports.NoCounts {
		return text
	}
	return ""
}
