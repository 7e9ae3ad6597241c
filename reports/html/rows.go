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

// pathList is the first pages of an episode, and how many more there are.
type pathList struct {
	Every bool // page of the origin
	First []string
	More  int
}

// shownPaths is how many pages of an episode a row names.
const shownPaths = 3

func pagesOf(e reports.PeriodEpisode) pathList {
	if len(e.Paths) > 0 && e.Paths[0] == "*" {
		return pathList{Every: true}
	}
	first := e.Paths[:min(len(e.Paths), shownPaths)]
	return pathList{First: first, More: max(0, max(e.MostPages, len(e.Paths))-len(first))}
}

// pagesAre says what is wrong with how many pages: "2 pages are stale".
func pagesAre(e reports.PeriodEpisode) string {
	n := e.Pages
	if pagesOf(e).Every {
		if e.Kind == diff.Unreachable {
			return "unreachable"
		}
		return "every page is " + condition(e.Kind)
	}
	if e.Kind == diff.Headers {
		return humanize.Plural(n, "page") + verb(n, " has", " have") + " other headers"
	}
	return humanize.Are(n, "page") + " " + condition(e.Kind)
}

// condition is the kind of drift as an adjective.
func condition(k diff.Kind) string {
	switch k {
	case diff.Extra:
		return "not of the release"
	case diff.Mistyped:
		return "of the wrong type"
	case diff.Headers:
		return "sent with other headers"
	}
	return Show(k)
}

// ran is how a run ended. A check that found drift is done, and not good news.
func ran(r reports.LoggedRun) string {
	if r.Outcome == "done" && r.Found == diff.Drifts {
		return foundDrift
	}
	if r.Outcome == "done" && r.Found == diff.CannotBeSeen {
		return string(diff.CannotBeSeen)
	}
	return r.Outcome
}

const foundDrift = "found drift"

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
