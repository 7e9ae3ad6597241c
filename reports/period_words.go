package reports

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
)

// lasting shows a length of time in its two largest units.
func lasting(m Millis) string {
	d := time.Duration(m)
	if d < time.Minute {
		return duration(m)
	}
	const day = 24 * time.Hour
	units := []struct {
		length time.Duration
		name   string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.length || i == len(units)-1 {
			continue
		}
		text := fmt.Sprintf("%d%s", d/u.length, u.name)
		if rest := d % u.length / units[i+1].length; rest > 0 {
			text += fmt.Sprintf(" %d%s", rest, units[i+1].name)
		}
		return text
	}
	return duration(m)
}

// lastingAtMost shows an upper bound as lasting does, and never less than it is.
func lastingAtMost(m Millis) string {
	unit := time.Second
	switch d := time.Duration(m); {
	case d < time.Minute:
		return atMost(m)
	case d >= 24*time.Hour:
		unit = time.Hour
	case d >= time.Hour:
		unit = time.Minute
	}
	if rest := time.Duration(m) % unit; rest > 0 {
		m += Millis(unit - rest)
	}
	return lasting(m)
}

// between shows a length of which two bounds are known, upper nil where it has none.
func between(lower Millis, upper *Millis) string {
	least := lasting(lower)
	if time.Duration(lower) < time.Minute {
		least = atLeast(lower)
	}
	if upper == nil {
		return "at least " + least
	}
	if most := lastingAtMost(*upper); most != least {
		return least + " to " + most
	}
	return least
}

// percent shows a share; what is not all of it is never shown as 100 %.
func percent(share *float64) string {
	if share == nil {
		return "-"
	}
	return strconv.FormatFloat(math.Floor(*share*1e4)/100, 'f', -1, 64) + "%"
}

// moment shows an instant, to the minute.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// title says what the report is of.
func (p Period) title() string {
	return fmt.Sprintf("%s to %s UTC (%s)", moment(p.Since), moment(p.Until), lasting(Millis(p.Until.Sub(p.Since))))
}

// summary says in one line how the period went. The text is safe.
func (p Period) summary() string {
	if p.Checks == 0 {
		text := "No complete check could judge the origins in this time"
		if p.Failed > 0 {
			text += fmt.Sprintf("; %s failed", humanize.Plural(p.Failed, "check"))
		}
		return text + " (hint: `mirror check`, or `mirror daemon` to check on a schedule)."
	}
	text := fmt.Sprintf("The origins agreed in %d of %s", p.Agreement.Agreed, humanize.Plural(p.Checks, "check"))
	if p.Agreement.ByTime != nil {
		text += fmt.Sprintf(", %s of the time", percent(p.Agreement.ByTime))
	}
	if p.Agreement.Before != nil {
		text += fmt.Sprintf(" (%s before)", percent(p.Agreement.Before))
	}
	if p.Failed > 0 {
		text += fmt.Sprintf("; %s could not judge the origins", humanize.Plural(p.Failed, "check"))
	}
	return text + ". " + p.atEnd()
}

// atEnd says how it stood at the end. The text is safe.
func (p Period) atEnd() string {
	open := 0
	for _, e := range p.Episodes {
		open += oneIf(e.Closed == nil)
	}
	switch {
	case open > 0:
		return fmt.Sprintf("%s not over.", humanize.Are(open, "drift episode"))
	case p.State == diff.Agrees:
		return "They agree at the end."
	case p.State == "" || p.State == diff.Unknown:
		return "Their state at the end is unknown: no check was made before it."
	}
	return "They do not agree at the end."
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// color is that of how the period ended.
func (p Period) color() string {
	switch {
	case p.State == diff.Drifts:
		return red
	case p.State != diff.Agrees || p.Checks == 0:
		return yellow
	}
	return green
}

// word is the origin's state, "not looked at" where the latest check did not.
func (o PeriodOrigin) word() string { return cmp.Or(string(o.State), "not looked at") }

// certificate says until when the origin's certificate holds.
func (o PeriodOrigin) certificate() string {
	if o.Certificate == nil || o.Certificate.DaysLeft == nil {
		return "-"
	}
	days, on := *o.Certificate.DaysLeft, o.Certificate.Expires.UTC().Format(time.DateOnly)
	if days < 0 {
		return "expired " + on
	}
	return fmt.Sprintf("%s (%s)", on, humanize.Plural(days, "day"))
}

func optional(m *Millis) string {
	if m == nil {
		return "-"
	}
	return lasting(*m)
}

// lasted says how long an episode was, as far as that is known.
func (e PeriodEpisode) lasted() string {
	if e.Closed == nil {
		return between(e.Lower, nil) + " so far"
	}
	return between(e.Lower, e.Upper)
}

// where names the first path, and how many there are. The text is not safe.
func (e PeriodEpisode) where() string {
	switch {
	case len(e.Paths) == 0:
		return humanize.Plural(e.Pages, "page")
	case e.Paths[0] == "*":
		return fmt.Sprintf("all %s", humanize.Plural(e.Pages, "page"))
	case e.Pages > 1:
		return fmt.Sprintf("%s and %d more", e.Paths[0], e.Pages-1)
	}
	return e.Paths[0]
}

// span shows the span as text.
func (s OpenSpan) span() string { return between(s.Lower, s.Upper) }

// words says how long a recovery took, and what was left out.
func (r Recovery) words() string {
	var out []string
	if r.Open > 0 {
		out = append(out, fmt.Sprintf("%d not over", r.Open))
	}
	if r.Unbounded > 0 {
		out = append(out, fmt.Sprintf("%d of unknown begin", r.Unbounded))
	}
	text := "unknown, no episode ended"
	if r.Mean != nil {
		text = fmt.Sprintf("%s, of %s", between(r.Mean.Lower, &r.Mean.Upper), humanize.Plural(r.Episodes, "episode"))
	}
	if len(out) > 0 {
		text += " (left out: " + strings.Join(out, ", ") + ")"
	}
	return "Mean time to recovery: " + text + "."
}

// words says what the windows were, and whether they became longer.
func (w PeriodWindows) words() string {
	text := fmt.Sprintf("%s: p50 %s, p95 %s, longest %s", humanize.Plural(w.Count, "window"), w.P50.span(), w.P95.span(), w.Max.span())
	if w.Open > 0 {
		text += fmt.Sprintf("; %d did not close while watched", w.Open)
	}
	switch {
	case w.Before == nil:
		return text + "."
	case w.Trend == nil:
		return text + fmt.Sprintf("; before: %s.", w.Before.span())
	case w.Trend.Lower > 0:
		return text + fmt.Sprintf("; longer than before: %s.", w.Before.span())
	case w.Trend.Upper < 0:
		return text + fmt.Sprintf("; shorter than before: %s.", w.Before.span())
	}
	return text + fmt.Sprintf("; about as before: %s.", w.Before.span())
}

// length is the window of a publish, in words.
func (p PeriodPublish) length() string {
	switch {
	case p.Window == nil:
		return "not watched"
	case p.Window.Pages == 0:
		return "no page changed"
	}
	return OpenSpan{p.Window.Lower, p.Window.Upper}.span()
}

// maxStrip is how many days a strip shows, the last ones.
const maxStrip = 31

// strip shows an origin's days, a sign each: . for one without drift, x for one with, ? for
// one on which it could not be seen, and - for one without a check.
func (p Period) strip(origin string) string {
	first := max(0, days(p.Since, p.Until)-maxStrip)
	signs := strings.Split(strings.Repeat("-", days(p.Since, p.Until)), "")
	for _, d := range p.Days {
		at, err := time.Parse(time.DateOnly, d.Date)
		if i := days(p.Since, at) - 1; err == nil && d.Origin == origin && i >= 0 && i < len(signs) {
			signs[i] = d.sign()
		}
	}
	return strings.Join(signs[first:], "")
}

// days counts the days (UTC) from one instant's to another's.
func days(from, to time.Time) int {
	const day = 24 * time.Hour
	return int(to.UTC().Truncate(day).Sub(from.UTC().Truncate(day))/day) + 1
}

func (d PeriodDay) sign() string {
	switch {
	case d.Drifted > 0:
		return "x"
	case d.Unreachable > 0:
		return "?"
	case d.Checks > 0:
		return "."
	}
	return "-"
}
