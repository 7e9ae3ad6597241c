package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// headline says in one line what happened, beginning with the origin.
func headline(n News, now time.Time) string {
	e := n.Event
	switch n.Change {
	case Closed, Passed:
		if e.Ended != "" {
			return fmt.Sprintf("%s: %s", nameOf(e), plain(e.Ended))
		}
		return fmt.Sprintf("%s recovered after %s: %s", nameOf(e), span(e.lasted(now)), told(e, past))
	case Worse:
		return fmt.Sprintf("%s is worse than before: %s", nameOf(e), worsened(e))
	case Flapping:
		return fmt.Sprintf("%s is flapping, again %s; the next message comes when it is steady for %s", nameOf(e), told(e, noun), span(n.Steady))
	case Settled:
		steady := fmt.Sprintf("steady after flapping (%d changes since %s)", n.Changes, clock(n.Since))
		if e.closes() {
			return nameOf(e) + " recovered, " + steady
		}
		return problem(e) + ", " + steady
	}
	return opening(e)
}

// opening says what is wrong with an origin.
func opening(e Event) string {
	text := problem(e)
	if e.Reason != "" {
		text += ": " + plain(e.Reason)
	} else if len(e.Paths) == 1 && pagesOf(e) == 1 {
		text += ": " + plain(e.Paths[0])
	}
	return text
}

// problem is the opening without its reason.
func problem(e Event) string {
	switch {
	case e.Title != "":
		return nameOf(e) + ": " + plain(e.Title)
	case ofPages(e):
		return nameOf(e) + ": " + pagesPhrase(e, present)
	}
	return nameOf(e) + phrasesFor(e.Kind).is
}

// worsened says what is wrong now with what has become worse.
func worsened(e Event) string {
	text := told(e, present)
	if e.Reason != "" {
		text += ": " + plain(e.Reason)
	}
	return text
}

// told says what was or is wrong, without the origin's name.
func told(e Event, t tense) string {
	switch say := phrasesFor(e.Kind); {
	case ofPages(e):
		return pagesPhrase(e, t)
	case t == past:
		return say.was
	default:
		return say.noun
	}
}

// ofPages reports whether an event is of some pages of an origin, and not of all of it.
func ofPages(e Event) bool {
	whole := e.Kind == Unreachable && (len(e.Paths) == 0 || e.Paths[0] == everywhere)
	return (e.Kind == Drift || e.Kind == Unreachable) && pagesOf(e) > 0 && !whole
}

// everywhere is the path of what is wrong with a whole origin.
const everywhere = "*"

func pagesOf(e Event) (pages int) {
	for _, n := range e.Counts {
		pages += n
	}
	return pages
}

// pagesPhrase says how many pages have each kind of drift: "8 pages are stale, 1 page is missing".
func pagesPhrase(e Event, t tense) string {
	var parts []string
	for _, kind := range largest(e.Counts) {
		pages, n := "pages", e.Counts[kind]
		if n == 1 {
			pages = "page"
		}
		parts = append(parts, fmt.Sprintf("%d %s %s", n, pages, stateOf(kind, n, t)))
	}
	return strings.Join(parts, ", ")
}

// summary is the title of several news. It names the origins first.
func summary(news []News) string {
	counts := map[Change]int{}
	var origins []string
	oneKind := true
	for _, n := range news {
		counts[n.Change]++
		oneKind = oneKind && n.Event.Kind == news[0].Event.Kind
		if name := nameOf(n.Event); !slices.Contains(origins, name) {
			origins = append(origins, name)
		}
	}
	names := listed(origins)
	switch {
	case counts[Opened] == len(news) && len(origins) == 1 && oneKind && news[0].Event.Kind == Drift:
		return problem(joined(news))
	case counts[Opened] == len(news) && oneKind && len(origins) == len(news):
		return names + " " + phrasesFor(news[0].Event.Kind).are
	case counts[Opened]+counts[Worse] == len(news):
		return worstOf(news)
	case counts[Closed]+counts[Passed] == len(news):
		if len(news) > len(origins) {
			return fmt.Sprintf("%s recovered from %d problems", names, len(news))
		}
		return names + " recovered"
	}
	return names + ": " + changesPhrase(counts)
}

// worstOf says what is the worst of several problems, and which origins have others.
func worstOf(news []News) string {
	worst := slices.MaxFunc(news, func(a, b News) int { return cmp.Compare(rank(a.Event.Severity), rank(b.Event.Severity)) })
	var others []string
	for _, n := range news {
		if name := nameOf(n.Event); name != nameOf(worst.Event) && !slices.Contains(others, name) {
			others = append(others, name)
		}
	}
	what := cut(opening(worst.Event), maxTitle*2/3)
	text := what + "; 1 more problem"
	if len(news) > 2 {
		text = fmt.Sprintf("%s; %d more problems", what, len(news)-1)
	}
	if len(others) > 0 {
		text += ": " + listed(others)
	}
	return text
}

// changesPhrase counts what happened: "2 new problems, 1 recovered".
func changesPhrase(counts map[Change]int) string {
	var parts []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	add(counts[Opened], "new problem", "new problems")
	add(counts[Worse], "problem is worse than before", "problems are worse than before")
	add(counts[Flapping], "flapping", "flapping")
	add(counts[Settled], "steady after flapping", "steady after flapping")
	add(counts[Closed]+counts[Passed], "recovered", "recovered")
	return strings.Join(parts, ", ")
}

// joined is the drift of several events of one origin.
func joined(news []News) Event {
	e := Event{Kind: Drift, Origin: news[0].Event.Origin, Counts: map[string]int{}}
	for _, n := range news {
		for kind, pages := range n.Event.Counts {
			e.Counts[kind] += pages
		}
	}
	return e
}

// maxNames is how many origins a title names.
const maxNames = 3

// listed lists names: "a, b and c", "a, b, c and 4 others".
func listed(names []string) string {
	last := fmt.Sprintf("%d others", len(names)-maxNames)
	switch {
	case len(names) == 1:
		return short(names[0])
	case len(names) <= maxNames:
		names, last = names[:len(names)-1], short(names[len(names)-1])
	case len(names) == maxNames+1:
		names, last = names[:maxNames], "1 other"
	default:
		names = names[:maxNames]
	}
	var shortened []string
	for _, name := range names {
		shortened = append(shortened, short(name))
	}
	return strings.Join(shortened, ", ") + " and " + last
}

// short cuts a name so that three of them leave room for what happened.
func short(name string) string { return cut(name, maxTitle/(maxNames+2)) }
