package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/site"
)

// History is the document of `mirror history`. What was not asked for is absent. Everything
// is listed with the newest first.
type History struct {
	Schema    string           `json:"schema"` // mirror.history/v1
	Releases  []HistoryRelease `json:"releases,omitzero"`
	Publishes []PeriodPublish  `json:"publishes,omitzero"`
	Checks    []HistoryCheck   `json:"checks,omitzero"`
	Episodes  []PeriodEpisode  `json:"episodes,omitzero"`
	Runs      []HistoryRun     `json:"runs,omitzero"`
	// Limit is how many rows the text shows of the story that publishes and checks make
	// together, 0 for all.
	Limit int `json:"-"`
	Ending
}

// HistoryRelease is a release that went live from here.
type HistoryRelease struct {
	Release   site.ID   `json:"release"`
	Published time.Time `json:"published,omitzero"` // absent where unknown
	Files     int       `json:"files"`
	Bytes     int64     `json:"bytes"`
}

// HistoryCheck is one check.
type HistoryCheck struct {
	ID      int64          `json:"id"`
	Started time.Time      `json:"started"`
	Elapsed Millis         `json:"elapsed_ms"`
	Job     string         `json:"job"`     // "" for a person
	Release site.ID        `json:"release"` // that the origins were compared with
	Pages   int            `json:"pages"`
	Partial bool           `json:"partial"` // not everything was looked at or counted
	State   diff.State     `json:"state"`   // of all origins together, "" where there is no verdict
	Error   string         `json:"error"`   // why there is none
	Origins []OriginStatus `json:"origins"`
}

// OriginStatus is an origin as a check saw it, and as the dashboard shows it.
type OriginStatus struct {
	Schema string `json:"schema,omitempty"` // mirror.origin/v1 where it stands alone
	Origin
	Front   bool        `json:"front,omitempty"`   // the config says that it is a mirror front over the other origins
	Since   *time.Time  `json:"since,omitempty"`   // of the state, absent where it is not on record
	Expires *time.Time  `json:"expires,omitempty"` // of the certificate, absent where none was seen
	Slowest []TimedPage `json:"slowest"`           // pages, the slowest first
	Days    []PeriodDay `json:"-"`                 // the latest days, for the dashboard
}

// TimedPage is how long a page took.
type TimedPage struct {
	Path string `json:"path"`
	Took Millis `json:"elapsed_ms"`
}

// OriginStatusOf makes what is said of an origin that was checked at an instant.
func OriginStatusOf(o diff.OriginState, at time.Time) OriginStatus {
	status := OriginStatus{Origin: OriginOf(o, at), Slowest: []TimedPage{}}
	if status.TLS != nil {
		status.Expires = status.TLS.Expires
	}
	for _, page := range o.Slowest {
		status.Slowest = append(status.Slowest, TimedPage{page.Path, Millis(page.Took)})
	}
	return status
}

// HistoryRun is one run of a job of the daemon.
type HistoryRun struct {
	Job       string    `json:"job"`
	Slot      time.Time `json:"slot"`
	Triggered bool      `json:"triggered"` // it is of no slot of the schedule
	Started   time.Time `json:"started"`
	Elapsed   Millis    `json:"elapsed_ms"` // 0 while it runs
	Outcome   string    `json:"outcome"`    // "" while it runs
	Error     string    `json:"error"`
}

// Text writes the history for people: publishes and checks together as one story, everything
// else as a table each.
func (h History) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	if err := h.warn(w, s); err != nil {
		return err
	}
	if len(h.Releases)+len(h.Publishes)+len(h.Checks)+len(h.Episodes)+len(h.Runs) == 0 {
		_, err := fmt.Fprintln(w, "The history is empty (hint: mirror publish, mirror check, or mirror daemon to check on a schedule).")
		return err
	}
	for _, part := range []func(io.Writer, Style) error{
		h.textStory, h.textReleases, Period{Episodes: h.Episodes, EpisodeCount: len(h.Episodes)}.textEpisodes, h.textRuns,
	} {
		if err := part(w, s); err != nil {
			return err
		}
	}
	return nil
}

// event is one row of the story: a publish, or checks in a row that all found the same.
type event struct {
	at, since time.Time // of the last, and of the first
	times     int
	what      string // publish or check
	outcome   string
	release   site.ID
	job       string
	detail    string
}

func (h History) textStory(w io.Writer, s Style) error {
	all := h.story()
	if len(all) == 0 {
		return nil
	}
	t := s.table(w, "when (UTC)", "what", "outcome", "release", "by", "detail")
	shown := len(all)
	if h.Limit > 0 {
		shown = min(shown, h.Limit)
	}
	for _, e := range all[:shown] {
		t.row(e.when(), e.label(), s.event(e.outcome), e.release.Short(), clean(cmp.Or(e.job, "-")), clip(clean(e.detail), maxCell))
	}
	return t.render()
}

// story lists publishes and checks, the newest first.
func (h History) story() []event {
	var all []event
	for _, p := range h.Publishes {
		detail := fmt.Sprintf("%s, %s sent in %s; window: %s", humanize.Plural(p.Files, "file"), humanize.Bytes(p.Bytes), lasting(p.Elapsed), p.length())
		if p.Error != "" {
			detail = p.Error
		}
		all = append(all, event{at: p.Started, since: p.Started, times: 1, what: p.What(), outcome: p.Outcome, release: p.Release, job: p.Job, detail: detail})
	}
	for _, c := range h.Checks {
		all = append(all, event{at: c.Started, since: c.Started, times: 1, what: "check", outcome: c.outcome(), release: c.Release, job: c.Job, detail: c.detail()})
	}
	slices.SortStableFunc(all, func(a, b event) int { return b.at.Compare(a.at) })
	return foldEvents(all)
}

// foldEvents makes one event of checks that found the same, one after the other.
func foldEvents(all []event) []event {
	var folded []event
	for _, e := range all {
		if n := len(folded); n > 0 && e.what == "check" && folded[n-1].like(e) {
			folded[n-1].since = e.since
			folded[n-1].times++
			continue
		}
		folded = append(folded, e)
	}
	return folded
}

func (e event) like(other event) bool {
	return e.what == other.what && e.outcome == other.outcome && e.release == other.release && e.job == other.job && e.detail == other.detail
}

func (e event) when() string {
	switch {
	case moment(e.since) == moment(e.at):
		return moment(e.at)
	case e.since.UTC().Format(time.DateOnly) == e.at.UTC().Format(time.DateOnly):
		return moment(e.since) + " to " + e.at.UTC().Format("15:04")
	}
	return moment(e.since) + " to " + moment(e.at)
}

func (e event) label() string {
	if e.times == 1 {
		return e.what
	}
	return humanize.Plural(e.times, e.what)
}

// event paints the outcome of a check or a publish.
func (s Style) event(outcome string) string {
	switch outcome {
	case string(diff.Agrees):
		return s.paint(green, outcome)
	case string(diff.CannotBeSeen), noVerdict:
		return s.paint(yellow, outcome)
	}
	return s.outcome(outcome)
}

// noVerdict is the outcome of a check that could not judge.
const noVerdict = "no verdict"

func (c HistoryCheck) outcome() string { return cmp.Or(string(c.State), noVerdict) }

// detail says what the check found. The text is not safe.
func (c HistoryCheck) detail() string {
	if c.Error != "" {
		return c.Error
	}
	var parts []string
	for _, o := range c.Origins {
		switch {
		case o.Error != "":
			parts = append(parts, o.Name+": "+o.Error)
		case o.State != diff.Agrees:
			parts = append(parts, o.Name+": "+Counts(o.Counts))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, fmt.Sprintf("%s on %s", humanize.Plural(c.Pages, "page"), humanize.Plural(len(c.Origins), "origin")))
	}
	if c.Partial {
		parts = append(parts, "not everything was looked at or counted")
	}
	return strings.Join(parts, "; ")
}

func (h History) textReleases(w io.Writer, s Style) error {
	if len(h.Releases) == 0 {
		return nil
	}
	t := s.table(w, "release", "live since (UTC)", "files", "size", "id")
	for _, r := range h.Releases {
		since := "?"
		if !r.Published.IsZero() {
			since = moment(r.Published)
		}
		t.row(r.Release.Short(), since, strconv.Itoa(r.Files), humanize.Bytes(r.Bytes), string(r.Release))
	}
	return t.render()
}

func (h History) textRuns(w io.Writer, s Style) error {
	if len(h.Runs) == 0 {
		return nil
	}
	t := s.table(w, "job", "began (UTC)", "took", "outcome", "why", "detail")
	for _, r := range h.Runs {
		why, outcome := "schedule", clean(cmp.Or(r.Outcome, "running"))
		if r.Triggered {
			why = "asked for"
		}
		t.row(clean(r.Job), moment(r.Started), zeroAs("-", r.Elapsed), outcome, why, clip(clean(r.Error), maxCell))
	}
	return t.render()
}
