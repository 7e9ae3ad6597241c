//go:build unix

package labagents_test

import (
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// judgedChecks lists the checks of a history that came to a verdict with agents, the oldest first.
func (p *processes) judgedChecks(h *history.Store) (all []history.Check) {
	checks, err := h.Checks(p.t.Context(), time.Time{}, 0)
	p.check(err)
	for _, c := range slices.Backward(checks) {
		if c.Err == "" && c.Job != "" && len(c.Origins) == 1 && len(c.Origins[0].Places) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// missing lists the places that a check names as missing.
func missing(c history.Check) (names []string) {
	for _, s := range c.Origins[0].Places {
		if s.Err != "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// awaitWhole waits for a check that every place has seen whole, and that begins from now on.
func (p *processes) awaitWhole(daemon string) {
	p.t.Helper()
	h := p.open(daemon)
	defer h.Close()
	since := time.Now()
	p.await("a whole check", func() bool {
		for _, c := range p.judgedChecks(h) {
			if c.Started.After(since) && len(missing(c)) == 0 && p.whole(c) {
				return true
			}
		}
		return false
	})
}

func (p *processes) whole(c history.Check) bool {
	if p.mode == "spread" {
		return sum(c) == processPages && len(c.Origins[0].Places) > 0
	}
	return len(c.Origins[0].Places) == len(p.agents)+1 && sum(c) == processPages*(len(p.agents)+1)
}

// sum is how many pages the places have counted.
func sum(c history.Check) (pages int) {
	for _, s := range c.Origins[0].Places {
		pages += s.Pages
	}
	return pages
}

// judge counts what is wrong in the history of a daemon.
func (p *processes) judge(daemon string) {
	h := p.open(daemon)
	defer h.Close()
	all := p.judgedChecks(h)
	seen := map[string]int{}
	for _, c := range all {
		seen[c.Job+c.Started.String()]++
		if c.Started.Before(p.since) {
			continue
		}
		p.round.Checks++
		p.round.Slowest = max(p.round.Slowest, c.Elapsed)
		if c.Elapsed > 70*time.Second {
			p.round.Late++
			p.t.Errorf("%s: the check of %s took %s", daemon, c.Started, c.Elapsed)
		}
		p.judgeVerdict(daemon, c)
		p.judgePlaces(daemon, c)
	}
	for key, n := range seen {
		if n > 1 {
			p.round.Doubled++
			p.t.Errorf("%s: the check %s is in the history %d times", daemon, key, n)
		}
	}
	episodes, err := h.Episodes(p.t.Context(), history.EpisodeFilter{})
	p.check(err)
	// While pages are seen from no place, they cannot be judged.
	episodes = slices.DeleteFunc(episodes, func(e history.Episode) bool {
		return p.mode == "spread" && e.Kind == diff.Unreachable && !e.Closed.IsZero()
	})
	if len(episodes) != 1 || episodes[0].Kind != diff.Missing || !episodes[0].Closed.IsZero() {
		p.round.Wrong++
		p.t.Errorf("%s: episodes: %+v", daemon, episodes)
	}
}

// judgeVerdict wants the page that is missing, and beside it at most what no place has looked at.
func (p *processes) judgeVerdict(daemon string, c history.Check) {
	for kind, n := range c.Origins[0].Counts {
		if kind == diff.Missing && n == 1 || p.mode == "spread" && kind == diff.Unreachable && len(missing(c)) > 0 {
			continue
		}
		p.round.Wrong++
		p.t.Errorf("%s: the check of %s has %d %s: %+v", daemon, c.Started, n, kind, c.Origins[0].Places)
	}
}

// judgePlaces wants each page of each place once, unless the place is named as missing.
func (p *processes) judgePlaces(daemon string, c history.Check) {
	named := len(missing(c))
	p.round.Missing += named
	if named == 0 {
		p.round.Whole++
	}
	if p.mode == "spread" {
		p.round.Views += sum(c)
		switch n := sum(c); {
		case n > processPages:
			p.round.Doubled += n - processPages
			p.t.Errorf("%s: the check of %s counts %d pages of %d: %+v", daemon, c.Started, n, processPages, c.Origins[0].Places)
		case n < processPages && c.Origins[0].Counts[diff.Unreachable] == 0:
			p.round.Lost += processPages - n
			p.t.Errorf("%s: the check of %s counts %d pages of %d: %+v", daemon, c.Started, n, processPages, c.Origins[0].Places)
		}
		return
	}
	for _, place := range p.agents {
		i := slices.IndexFunc(c.Origins[0].Places, func(s diff.PlaceState) bool { return s.Name == place })
		named := slices.Contains(missing(c), place)
		switch {
		case i < 0:
			p.round.Unnamed++
			p.t.Errorf("%s: the check of %s has nothing of %s, and does not name it", daemon, c.Started, place)
		case c.Origins[0].Places[i].Pages > processPages:
			p.round.Doubled++
			p.t.Errorf("%s: the check of %s: %+v", daemon, c.Started, c.Origins[0].Places[i])
		case !named && (c.Origins[0].Places[i].Pages != processPages || c.Origins[0].Places[i].Match != processPages-1):
			p.round.Lost++
			p.t.Errorf("%s: the check of %s: %+v", daemon, c.Started, c.Origins[0].Places[i])
		default:
			p.round.Views += c.Origins[0].Places[i].Pages
		}
	}
}
