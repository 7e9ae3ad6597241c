package notify

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Kind is what an event is about.
type Kind string

// The kinds of events, as the config's on lists them.
const (
	Drift         Kind = "drift"          // an origin serves what the release does not hold
	Recovered     Kind = "recovered"      // an episode of another kind has ended
	Unreachable   Kind = "unreachable"    // an origin answers nothing
	PublishFailed Kind = "publish_failed" // a publish did not go live everywhere
	Window        Kind = "window"         // the origins disagreed for longer than allowed
	Certificate   Kind = "certificate"    // an origin's certificate is near its end
	Overdue       Kind = "overdue"        // a check of the daemon's own did not run
	Trial         Kind = "test"           // a test of whether messages arrive
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{Drift, Recovered, Unreachable, PublishFailed, Window, Certificate, Overdue, Trial}
}

// Severity is how much an event matters.
type Severity string

// The severities.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Event tells that an episode has begun or ended. An episode that is closed has the kind
// that it was opened with: what recipients call recovered is an episode with a Closed time.
// Every text in it may come from an origin: it is bounded and made harmless before it is sent.
type Event struct {
	Kind Kind
	// Episode names the episode, and no other one, ever: that it opened is told once, and so is
	// that it closed. "" for a name made of the kind, the origin and Opened.
	Episode string
	Origin  string // name; "" where the event is of no single origin
	// Title says in one line what happens; "" for the kind's own words.
	Title string
	// Ended says in one line what has ended; "" for that the origin recovered.
	Ended    string
	Reason   string         // why, in a few words, after what happens; "" for none
	Lines    []string       // what else there is to say
	Counts   map[string]int // pages by kind of drift
	Paths    []string       // the first pages that differ
	Next     string         // what to do next; "" for the kind's own advice
	Severity Severity       // "" for the kind's own
	Opened   time.Time      // when it began; zero means the present time
	Closed   time.Time      // when it ended; zero while it lasts
	URL      string         // where to read more, http or https
}

// closes reports whether the event ends its episode.
func (e Event) closes() bool { return !e.Closed.IsZero() }

// lasted is how long the episode lasted until now, or until it ended.
func (e Event) lasted(now time.Time) time.Duration {
	if e.closes() {
		now = e.Closed
	}
	return max(0, now.Sub(e.Opened))
}

// bounded returns the event with its gaps filled in, sharing nothing with the caller's, and
// no larger than messages need.
func (e Event) bounded(now time.Time) Event {
	e.Severity = cmp.Or(e.Severity, severityOf(e.Kind))
	if e.Opened.IsZero() {
		e.Opened = now
	}
	if e.Episode == "" {
		e.Episode = fmt.Sprintf("%s-%s-%d", e.Kind, e.Origin, e.Opened.UnixNano())
	}
	e.Origin, e.Title, e.Ended = cut(e.Origin, maxField), cut(e.Title, maxField), cut(e.Ended, maxField)
	e.Reason, e.Next = cut(e.Reason, maxField), cut(e.Next, maxField)
	e.Lines, e.Paths = cutAll(e.Lines), cutAll(e.Paths)
	counts := map[string]int{}
	for _, kind := range largest(e.Counts) {
		counts[cut(kind, maxField)] = e.Counts[kind]
	}
	e.Counts = counts
	return e
}

// scrubbed returns the event without secrets, sharing nothing with the caller's.
func (e Event) scrubbed(scrub func(text string) string) Event {
	all := func(texts []string) []string {
		var clean []string
		for _, text := range texts {
			clean = append(clean, scrub(text))
		}
		return clean
	}
	e.Origin, e.Title, e.Ended = scrub(e.Origin), scrub(e.Title), scrub(e.Ended)
	e.Reason, e.Next, e.URL = scrub(e.Reason), scrub(e.Next), scrub(e.URL)
	e.Lines, e.Paths = all(e.Lines), all(e.Paths)
	counts := map[string]int{}
	for kind, n := range e.Counts {
		counts[scrub(kind)] += n
	}
	e.Counts = counts
	return e
}

func cutAll(texts []string) []string {
	kept := make([]string, 0, min(len(texts), maxItems))
	for _, text := range texts[:min(len(texts), maxItems)] {
		kept = append(kept, cut(text, maxField))
	}
	return kept
}

// largest lists the counted kinds, most pages first, and no more than messages can hold.
func largest(counts map[string]int) []string {
	var kinds []string
	for kind := range counts {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return kinds[:min(len(kinds), maxItems)]
}

// rank orders severities, the worst highest.
func rank(s Severity) int { return slices.Index([]Severity{Info, Warning, Critical}, s) }

func severityOf(k Kind) Severity {
	switch k {
	case Unreachable, PublishFailed, Overdue:
		return Critical
	case Recovered, Trial:
		return Info
	}
	return Warning
}
