package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/site"
)

// How much a page lists.
const (
	recentEpisodes  = 50 // that the state of an origin is read from
	recentPublishes = 50
	shownDays       = 30
)

// standing is how things are now.
type standing struct {
	Now       time.Time
	Release   site.ID   // that the latest check compared with
	Live      time.Time // since when it is, zero where nobody knows
	Publish   int64     // that put it there, 0 for none on record
	Check     history.Check
	Latest    history.Check // may have come to no verdict
	Origins   []originStanding
	Open      []history.Episode
	Publishes []history.Publish
	Jobs      []JobStatus
	Overdue   []string
}

// originStanding is how one origin stands.
type originStanding struct {
	diff.OriginState
	Since time.Time // since when it stands so, zero where nobody knows
	Until time.Time // Since is between the check before and this one: the check before
	Days  []history.Day
}

// standing reads how things are.
func (d *Dashboard) standing(ctx context.Context) (standing, error) {
	s := standing{Now: d.options.Now(), Jobs: d.options.Jobs(), Overdue: d.options.Overdue()}
	source := d.options.Source
	var err error
	if s.Check, _, err = source.LastCheck(ctx); err != nil {
		return s, fmt.Errorf("read the latest check: %w", err)
	}
	latest, err := source.ChecksBefore(ctx, 0, 1)
	if err != nil {
		return s, fmt.Errorf("read the checks: %w", err)
	}
	if len(latest) > 0 {
		s.Latest = latest[0]
	}
	if s.Open, err = source.Episodes(ctx, history.EpisodeFilter{Open: true}); err != nil {
		return s, fmt.Errorf("read what drifts: %w", err)
	}
	if s.Publishes, err = source.PublishesBefore(ctx, 0, recentPublishes); err != nil {
		return s, fmt.Errorf("read the publishes: %w", err)
	}
	s.Release = s.Check.Release
	s.Publish, s.Live = liveSince(s.Publishes, s.Release)
	s.Origins, err = d.originStandings(ctx, s)
	return s, err
}

// liveSince finds the publish that made a release live, and when it was done.
func liveSince(publishes []history.Publish, release site.ID) (int64, time.Time) {
	for _, p := range publishes {
		if p.Release == release && release != site.None && (p.Outcome == "live" || p.Outcome == "diverged") {
			return p.ID, p.Started.Add(p.Elapsed)
		}
	}
	return 0, time.Time{}
}

func (d *Dashboard) originStandings(ctx context.Context, s standing) ([]originStanding, error) {
	today := s.Now.UTC().Truncate(24 * time.Hour)
	days, err := d.options.Source.Days(ctx, today.AddDate(0, 0, 1-shownDays))
	if err != nil {
		return nil, fmt.Errorf("read the days: %w", err)
	}
	var all []originStanding
	for _, check := range d.known(s.Check) {
		o := originStanding{OriginState: check}
		for _, day := range days {
			if day.Origin == check.Name {
				o.Days = append(o.Days, day)
			}
		}
		if err := d.since(ctx, s.Open, &o); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// known lists the configured origins as the check saw them, and then what else it saw.
func (d *Dashboard) known(c history.Check) []diff.OriginState {
	var all []diff.OriginState
	seen := map[string]bool{}
	for _, o := range d.options.Origins {
		row := diff.OriginState{Name: o.Name, URL: o.URL, State: unknown}
		for _, found := range c.Origins {
			if found.Name == o.Name {
				row = found
			}
		}
		seen[o.Name] = true
		all = append(all, row)
	}
	if len(d.options.Origins) > 0 {
		return all
	}
	return append(all, c.Origins...)
}

// since finds since when an origin stands as it does: since its oldest drift that lasts, or
// since its latest that ended.
func (d *Dashboard) since(ctx context.Context, open []history.Episode, o *originStanding) error {
	for _, e := range open {
		if e.Origin == o.Name && (o.Since.IsZero() || e.Opened.Before(o.Since)) {
			o.Since, o.Until = e.Opened, e.LastGood
		}
	}
	if !o.Since.IsZero() || o.State != diff.Agrees {
		return nil
	}
	episodes, err := d.options.Source.Episodes(ctx, history.EpisodeFilter{Origin: o.Name, Limit: recentEpisodes})
	if err != nil {
		return fmt.Errorf("read what drifted: %w", err)
	}
	for _, e := range episodes {
		if e.Closed.After(o.Since) {
			o.Since, o.Until = e.Closed, e.LastSeen
		}
	}
	return nil
}

// State is the state of all: the worst of any origin, unknown where there was no check.
func (s standing) State() diff.State {
	var states []diff.State
	for _, o := range s.Origins {
		states = append(states, o.State)
	}
	return cmp.Or(diff.Worst(states...), unknown)
}

// Verdict says in one line how things are.
func (s standing) Verdict() string {
	all := len(s.Origins)
	switch s.State() {
	case diff.Agrees:
		if all == 1 {
			return "The origin agrees"
		}
		return fmt.Sprintf("All %d origins agree", all)
	case diff.Drifts:
		return s.which(diff.Drifts, verb(s.count(diff.Drifts), "drifts", "drift"))
	case diff.CannotBeSeen:
		return s.which(diff.CannotBeSeen, "cannot be seen")
	}
	if s.Check.ID == 0 {
		return "Not checked yet"
	}
	return fmt.Sprintf("%d of %s not checked yet", s.count(unknown), plural(all, "origin"))
}

func (s standing) count(state diff.State) (n int) {
	for _, o := range s.Origins {
		if o.State == state {
			n++
		}
	}
	return n
}

// which names the origins in a state, or counts them where they are many.
func (s standing) which(state diff.State, does string) string {
	var names []string
	for _, o := range s.Origins {
		if o.State == state {
			names = append(names, show(o.Name))
		}
	}
	if len(names) > 3 {
		return fmt.Sprintf("%d of %d origins %s", len(names), len(s.Origins), does)
	}
	text := strings.Join(names, ", ") + " " + does
	if agree := s.count(diff.Agrees); agree > 0 {
		text += fmt.Sprintf(", %d of %d agree", agree, len(s.Origins))
	}
	return text
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Stale says why the state may not be true any more, "" where it may be trusted.
func (s standing) Stale() string {
	switch {
	case len(s.Overdue) > 0:
		return plural(len(s.Overdue), "job") + " should have been done by now and " + verb(len(s.Overdue), "has", "have") + " not been"
	case s.Latest.ID != s.Check.ID && s.Latest.Err != "":
		return "the latest check came to no verdict"
	}
	return ""
}
