package html

import (
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/reports"
)

// stateClass is good, bad, warn or idle: a class, so that nothing of ours is a style.
func stateClass(state any) string {
	switch sign(state) {
	case "✓":
		return "good"
	case "✗":
		return "bad"
	case "!":
		return "warn"
	}
	return "idle"
}

// openness tells whether an episode lasts.
func openness(e reports.PeriodEpisode) string {
	if e.Closed == nil {
		return "open"
	}
	return "over"
}

// lasted bounds how long an episode was: what checks saw of it, and what they may have missed.
func lasted(e reports.PeriodEpisode) string {
	least := max(0, e.LastSeen.Sub(e.Opened)) // one answer alone showed it
	switch {
	case e.Closed == nil:
		return lengthOf(least, nil) + " so far"
	case e.LastGood == nil:
		return lengthOf(least, nil)
	}
	most := e.Closed.Sub(*e.LastGood)
	return lengthOf(least, &most)
}

// lengthOf shows a length of which two bounds are known, most nil where it has no upper one.
func lengthOf(least time.Duration, most *time.Duration) string {
	lower := span(least.Truncate(time.Second))
	if most == nil {
		return "at least " + lower
	}
	if upper := spanAtMost(*most); upper != lower {
		return lower + " to " + upper
	}
	return lower
}

// windowWords says how long a window was.
func windowWords(w *reports.Window) string {
	switch {
	case w == nil || w.Pages == 0:
		return "not watched"
	case w.Upper == nil:
		return "open after at least " + took(time.Duration(w.Lower))
	}
	return took(time.Duration(w.Lower)) + " to " + took(time.Duration(*w.Upper))
}

// found says of a check in a few words what it saw.
func found(c reports.HistoryCheck) string {
	var parts []string
	for _, o := range c.Origins {
		if o.State != diff.Agrees {
			parts = append(parts, strings.TrimSpace(Show(o.Name)+" "+withSign(o.State)))
		}
	}
	if len(parts) == 0 {
		return humanize.Plural(len(c.Origins), "origin") + " agree" + verb(len(c.Origins), "s", "")
	}
	return strings.Join(parts, ", ")
}
