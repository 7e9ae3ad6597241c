package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
)

// How many rows the text of a period shows at most; JSON has more.
const (
	maxPeriodEpisodes  = 30
	maxPeriodPublishes = 20
)

// Text writes the report for people.
func (p Period) Text(w io.Writer, s Style) error {
	w = s.fold(w)
	if _, err := fmt.Fprintf(w, "%s\n", p.title()); err != nil {
		return err
	}
	for _, part := range []func(io.Writer, Style) error{
		p.textOrigins, p.textDays, p.textEpisodes, p.textPublishes, p.textSlowest,
	} {
		if err := part(w, s); err != nil {
			return err
		}
	}
	if err := p.warn(w, s); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, s.paint(p.color(), p.summary()))
	return err
}

func (p Period) textOrigins(w io.Writer, s Style) error {
	if len(p.Origins) == 0 {
		return nil
	}
	t := s.table(w, "origin", "at the end", "agreed", "before", "checks", "drift", "unreachable", "episodes", "a check took", "certificate")
	for _, o := range p.Origins {
		a := o.Agreement
		t.row(clean(o.Name), s.period(o), percent(cmp.Or(a.ByTime, a.ByChecks)), percent(a.Before), fmt.Sprintf("%d/%d", a.Agreed, a.Checks),
			zeroAs("-", a.DriftedFor), zeroAs("-", a.UnreachableFor), o.episodes(), optional(o.Elapsed), o.certificate())
	}
	if err := t.render(); err != nil {
		return err
	}
	for _, o := range p.Origins {
		if o.Error != "" {
			fmt.Fprintf(w, "%s: %s: %s\n", clean(o.Name), s.state(o.State), clip(clean(o.Error), maxCell))
		}
	}
	return nil
}

func (s Style) period(o PeriodOrigin) string {
	if o.State == "" {
		return o.word()
	}
	return s.state(o.State)
}

func zeroAs(text string, m Millis) string {
	if m == 0 {
		return text
	}
	return lasting(m)
}

func (o PeriodOrigin) episodes() string {
	if o.Open > 0 {
		return fmt.Sprintf("%d (%d open)", o.Episodes, o.Open)
	}
	return strconv.Itoa(o.Episodes)
}

// textDays shows each origin's days as a strip, where there is more than one.
func (p Period) textDays(w io.Writer, s Style) error {
	if days(p.Since, p.Until) < 2 || len(p.Days) == 0 {
		return nil
	}
	n := min(days(p.Since, p.Until), maxStrip)
	t := s.table(w, "origin", fmt.Sprintf("%s to %s", humanize.Plural(n, "day"), p.Until.UTC().Format(time.DateOnly)))
	for _, o := range p.Origins {
		t.row(clean(o.Name), p.strip(o.Name))
	}
	if err := t.render(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "One character for each day (UTC): . agreed, x drift, ? unreachable, - no check.")
	return err
}

func (p Period) textEpisodes(w io.Writer, s Style) error {
	if len(p.Episodes) == 0 {
		return nil
	}
	t := s.table(w, "episode", "origin", "kind", "first seen", "duration", "pages", "where", "detail")
	for _, e := range p.Episodes[:min(len(p.Episodes), maxPeriodEpisodes)] {
		color := yellow
		if e.Closed == nil && e.Kind != diff.Unreachable {
			color = red
		}
		lasted := e.lasted()
		if e.Closed == nil {
			lasted = s.paint(color, lasted)
		}
		t.row(strconv.FormatInt(e.ID, 10), clean(e.Origin), s.paint(color, string(e.Kind)), moment(e.Opened), lasted, e.most(),
			clip(clean(e.where()), maxCell), clip(clean(e.Detail), maxCell))
	}
	if err := t.render(); err != nil {
		return err
	}
	if err := beyond(w, p.EpisodeCount, min(len(p.Episodes), maxPeriodEpisodes)); err != nil || p.Recovery == nil {
		return err
	}
	_, err := fmt.Fprintln(w, p.Recovery.words())
	return err
}

// most counts the pages, and how many they were at most.
func (e PeriodEpisode) most() string {
	if e.MostPages > e.Pages {
		return fmt.Sprintf("%d (%d at most)", e.Pages, e.MostPages)
	}
	return strconv.Itoa(e.Pages)
}

func beyond(w io.Writer, all, shown int) error {
	if all <= shown {
		return nil
	}
	_, err := fmt.Fprintf(w, "… and %d more\n", all-shown)
	return err
}

func (p Period) textPublishes(w io.Writer, s Style) error {
	if len(p.Publishes) > 0 {
		t := s.table(w, "publish", "began", "outcome", "release", "files", "sent", "took", "window")
		for _, one := range p.Publishes[:min(len(p.Publishes), maxPeriodPublishes)] {
			t.row(strconv.FormatInt(one.ID, 10), moment(one.Started), s.outcome(one.Outcome)+one.mark(), one.Release.Short(), strconv.Itoa(one.Files),
				humanize.Bytes(one.Bytes), lasting(one.Elapsed), one.length())
		}
		if err := t.render(); err != nil {
			return err
		}
		if err := beyond(w, p.PublishCount, min(len(p.Publishes), maxPeriodPublishes)); err != nil {
			return err
		}
	}
	if p.Windows == nil {
		return nil
	}
	_, err := fmt.Fprintln(w, p.Windows.words())
	return err
}

// outcome paints the outcome of a publish.
func (s Style) outcome(outcome string) string {
	switch {
	case slices.Contains([]string{"live", "unchanged"}, outcome):
		return s.paint(green, outcome)
	case outcome == "rolled_back":
		return s.paint(yellow, outcome)
	}
	return s.paint(red, clean(outcome))
}

func (p Period) textSlowest(w io.Writer, s Style) error {
	if len(p.Slowest) == 0 {
		return nil
	}
	t := s.table(w, "slowest page", "origin", "took", "on", "times")
	for _, page := range p.Slowest {
		t.row(clip(clean(page.Path), maxCell), clean(page.Origin), duration(page.Took), moment(page.At), strconv.Itoa(page.Times))
	}
	return t.render()
}
