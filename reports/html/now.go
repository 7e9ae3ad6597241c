package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/reports"
)

// Now is how things stand.
type Now struct {
	reports.Overview
	Checks []reports.HistoryCheck // the latest
	Shown  int                    // days
}

// Title is the verdict.
func (p Now) Title() string  { return p.Verdict() }
func (Now) template() string { return "now" }

// Verdict says in one line how things are.
func (p Now) Verdict() string {
	all := len(p.Origins)
	switch p.State {
	case diff.Agrees:
		if all == 1 {
			return "The origin serves"
		}
		return fmt.Sprintf("All %d origins agree", all)
	case diff.Drifts:
		return p.which(diff.Drifts, verb(p.count(diff.Drifts), "drifts", "drift"))
	case diff.CannotBeSeen:
		return p.which(diff.CannotBeSeen, verb(p.count(diff.CannotBeSeen), "is", "are")+" unreachable")
	}
	if p.Check == nil {
		return "Not checked yet"
	}
	return fmt.Sprintf("%d of %s not checked yet", p.count(diff.Unknown), humanize.Plural(all, "origin"))
}

// shownWrong is how many problems the first screen has.
const shownWrong = 5

// Worst lists what is wrong now, the worst first.
func (p Now) Worst() []reports.PeriodEpisode {
	worst := slices.Clone(p.Drift)
	slices.SortStableFunc(worst, func(a, b reports.PeriodEpisode) int {
		return cmp.Compare(b.Kind.Info().Severity, a.Kind.Info().Severity)
	})
	return worst[:min(len(worst), shownWrong)]
}

// Others is how many problems Worst leaves out.
func (p Now) Others() int { return max(0, len(p.Drift)-shownWrong) }

func (p Now) count(state diff.State) (n int) {
	for _, o := range p.Origins {
		if o.State == state {
			n++
		}
	}
	return n
}

// which names the origins in a state, or counts them where they are many.
func (p Now) which(state diff.State, does string) string {
	var names []string
	for _, o := range p.Origins {
		if o.State == state {
			names = append(names, Show(o.Name))
		}
	}
	if len(names) > 3 {
		return fmt.Sprintf("%d of %d origins %s", len(names), len(p.Origins), does)
	}
	text := strings.Join(names, ", ") + " " + does
	if agree := p.count(diff.Agrees); agree > 0 {
		text += fmt.Sprintf(", %d of %d agree", agree, len(p.Origins))
	}
	return text
}

// Stale says why the state may not be true any more, "" where it may be trusted.
func (p Now) Stale() string {
	switch {
	case len(p.Overdue) > 0:
		return humanize.Plural(len(p.Overdue), "job") + verb(len(p.Overdue), " is", " are") + " overdue"
	case p.Failure() != "":
		return "the latest check could not judge the origins"
	}
	return ""
}

// Failure says why the latest check could not judge the origins, "" where it did.
func (p Now) Failure() string {
	if p.Latest == nil || p.Check != nil && p.Latest.ID == p.Check.ID {
		return ""
	}
	return p.Latest.Error
}
