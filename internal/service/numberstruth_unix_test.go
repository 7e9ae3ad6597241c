//go:build unix

package service_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/summary"
	"mirror/reports"
)

// reckoning compares what a daemon says with what the origins answered.
type reckoning struct {
	t *testing.T
	w *numbersWorld
	h *history.Store

	snapshots []numbersSnapshot
	api       []reports.PeriodEpisode // at the end
	apiChecks []reports.HistoryCheck
	publishes []reports.PeriodPublish
	figures   int

	checks   []history.Check // that came to a verdict, by time
	episodes []history.Episode
}

// numbersSnapshot is what the daemon showed between two checks.
type numbersSnapshot struct {
	overview         reports.Overview
	metrics          map[string]float64
	accepted, before int // messages that the webhook has accepted since the daemon began: before the metrics were read, and after
}

// equal compares one figure.
func (r *reckoning) equal(what string, got, want any) {
	r.t.Helper()
	r.within(what, fmt.Sprint(got) == fmt.Sprint(want), got, want)
}

// within compares one figure of which only bounds are known.
func (r *reckoning) within(what string, ok bool, got, want any) {
	r.t.Helper()
	if r.figures++; !ok {
		r.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// snapshot reads what the daemon shows, when no check ends meanwhile.
func (r *reckoning) snapshot(d *daemonProcess) {
	for range 50 {
		var s numbersSnapshot
		first, _, err := r.h.LastCheck(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		now, _ := r.w.hook.counts()
		s.before = now - d.accepted
		metrics, overview := d.get("/metrics"), d.get("/api/v1/overview")
		now, _ = r.w.hook.counts()
		s.accepted = now - d.accepted
		last, _, err := r.h.LastCheck(r.t.Context())
		if err == nil && last.ID == first.ID && json.Unmarshal(overview, &s.overview) == nil {
			s.metrics = metricsOf(string(metrics))
			r.snapshots = append(r.snapshots, s)
			return
		}
	}
	r.t.Log("no snapshot: checks follow each other too fast")
}

func metricsOf(text string) map[string]float64 {
	all := map[string]float64{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, "mirror_") {
			all[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return all
}

// last reads the lists of the API, at the end.
func (r *reckoning) last(d *daemonProcess) {
	r.snapshot(d)
	r.api = apiList[reports.PeriodEpisode](d, "/api/v1/episodes?limit=10")
	r.apiChecks = apiList[reports.HistoryCheck](d, "/api/v1/checks?limit=50")
	r.publishes = apiList[reports.PeriodPublish](d, "/api/v1/publishes")
}

// shown is what the answers of one origin during a check show of a fault.
type shown struct{ surely, maybe bool }

// answers lists what an origin was asked during a check.
func (r *reckoning) answers(origin string, c history.Check) []request {
	all := r.w.asked[origin]
	at := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(all, t, func(q request, t time.Time) int { return q.at.Compare(t) })
		return i
	}
	return all[at(c.Started):at(c.Started.Add(c.Elapsed+time.Microsecond))]
}

// shows tells whether a check saw a fault: surely, where each answer for a page showed it.
func (r *reckoning) shows(f *worldFault, c history.Check) (s shown) {
	good, bad := map[string]int{}, map[string]int{}
	down := false
	for _, q := range r.answers(f.origin, c) {
		down = down || q.fault != nil && q.fault.whole
		switch {
		case q.path != f.page() && !(f.whole && isJudged(q.path)):
		case q.fault == f:
			bad[q.path]++
		default:
			good[q.path]++
		}
	}
	for path := range bad {
		s.maybe = true
		s.surely = s.surely || good[path] == 0 && !neverExisted(path) && (f.whole || !down)
	}
	return s
}

// clear reports whether a check surely saw that a fault is not there.
func (r *reckoning) clear(f *worldFault, c history.Check) bool {
	asked := false
	for _, q := range r.answers(f.origin, c) {
		if q.fault != nil && (q.fault == f || q.fault.kind == diff.Unreachable) {
			return false
		}
		asked = asked || q.path == f.page()
	}
	return asked
}

// isJudged reports whether a check judges the answer for a path: for a page, for a removed one and for one that never
// existed, but not for the beacon.
func isJudged(path string) bool {
	return path == "index.html" || path == "same.html" || neverExisted(path) ||
		slices.ContainsFunc(diff.Kinds(), func(k diff.Kind) bool { return path == pageOf(k) })
}

// neverExisted reports whether a path is the one by which a check learns how an origin answers for what is not there. It
// is another one in each check: a request of a daemon that was killed may be decided while the next one checks, and it
// is then not known whether the fault that it met is one that the check saw.
func neverExisted(path string) bool { return strings.HasPrefix(path, "mirror-") }

// readHistory reads what is on record, and returns all checks.
func (r *reckoning) readHistory() (all []history.Check) {
	all, err := r.h.Checks(r.t.Context(), time.Time{}, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Reverse(all)
	for _, c := range all {
		if c.Err == "" && !c.Partial {
			r.checks = append(r.checks, c)
		}
	}
	if r.episodes, err = r.h.Episodes(r.t.Context(), history.EpisodeFilter{}); err != nil {
		r.t.Fatal(err)
	}
	return all
}

// compare compares all figures.
func (r *reckoning) compare(seed uint64) numbersRound {
	all := r.readHistory()
	found := numbersRound{Seed: seed, Faults: len(r.w.faults), Episodes: len(r.episodes), Checks: len(r.checks)}
	r.compareEpisodes(&found)
	r.compareChecks()
	r.compareAPI(all)
	r.compareEvents()
	r.compareSnapshots()
	first, last := all[0].Started, time.Now()
	r.compareReport(first, last)
	middle := r.checks[len(r.checks)/2]
	r.compareReport(first, middle.Started.Add(middle.Elapsed/2))
	r.compareReport(middle.Started.Add(middle.Elapsed/2), last)
	count, _, _ := r.w.standing()
	found.Requests, found.Events, found.Figures = int(count), len(r.w.hook.events()), r.figures
	return found
}

// compareEpisodes wants one episode of each fault that a check saw, with bounds that hold it.
func (r *reckoning) compareEpisodes(found *numbersRound) {
	of := map[string]int{}
	for _, f := range r.w.faults {
		name := f.origin + " " + string(f.kind)
		var episodes []history.Episode
		for _, e := range r.episodes {
			if e.Origin == f.origin && e.Kind == f.kind {
				episodes = append(episodes, e)
			}
		}
		of[name] = len(episodes)
		s := r.seen(f)
		switch {
		case s.surely:
			found.Seen++
			r.equal("episodes of "+name, len(episodes), 1)
		case s.maybe:
			found.Unsure++
			r.within("episodes of "+name, len(episodes) <= 1, len(episodes), "1 at most")
		default:
			r.equal("episodes of "+name+", which no check saw", len(episodes), 0)
		}
		for _, e := range episodes {
			r.holds(name, e, f)
			if !e.Closed.IsZero() {
				found.WidestMS = max(found.WidestMS, (e.Closed.Sub(e.LastGood) - max(0, e.LastSeen.Sub(e.Opened))).Milliseconds())
			}
		}
	}
	for _, e := range r.episodes {
		name := e.Origin + " " + string(e.Kind)
		r.within("an episode of "+name, of[name] > 0, e, "none, there was no such fault")
	}
}

// seen tells whether any check saw a fault.
func (r *reckoning) seen(f *worldFault) (s shown) {
	for _, c := range r.checks {
		one := r.shows(f, c)
		s.surely, s.maybe = s.surely || one.surely, s.maybe || one.maybe
	}
	return s
}

// holds wants the fault within the bounds of its episode, and these no wider than its checks make them.
func (r *reckoning) holds(name string, e history.Episode, f *worldFault) {
	r.within(name+" began after last_good", e.LastGood.Before(f.start), f.start, e.LastGood)
	r.within(name+" began by opened", !e.Opened.Before(f.start), f.start, e.Opened)
	r.within(name+" ended after last_seen", e.LastSeen.Before(f.end), f.end, e.LastSeen)
	r.within(name+" ended by closed", e.Closed.IsZero() || !e.Closed.Before(f.end), f.end, e.Closed)
	for _, c := range r.checks {
		ended := c.Started.Add(c.Elapsed)
		s := r.shows(f, c)
		if s.surely {
			r.within(name+" is open by the end of a check that saw it", !e.Opened.After(ended), e.Opened, ended)
			r.within(name+" is seen after the begin of a check that saw it", !e.LastSeen.Before(c.Started), e.LastSeen, c.Started)
		}
		if r.clear(f, c) && ended.Before(f.start) {
			r.within(name+" was right after the begin of a check that saw that", !e.LastGood.Before(c.Started), e.LastGood, c.Started)
		}
		if r.clear(f, c) && c.Started.After(f.end) {
			r.within(name+" is over by the end of a check that saw that", !e.Closed.IsZero() && !e.Closed.After(ended), e.Closed, ended)
		}
	}
}

// kindsSeen lists what a check of an origin surely and maybe saw.
func (r *reckoning) kindsSeen(origin string, c history.Check) (surely, maybe map[diff.Kind]bool) {
	surely, maybe = map[diff.Kind]bool{}, map[diff.Kind]bool{}
	for _, f := range r.w.faults {
		if f.origin == origin {
			s := r.shows(f, c)
			surely[f.kind], maybe[f.kind] = surely[f.kind] || s.surely, maybe[f.kind] || s.maybe
		}
	}
	return surely, maybe
}

// compareChecks compares what each check says of each origin.
func (r *reckoning) compareChecks() {
	for _, c := range r.checks {
		r.equal("origins of a check", len(c.Origins), len(r.w.origins))
		for _, o := range c.Origins {
			name := fmt.Sprintf("check %d of %s", c.ID, o.Name)
			surely, maybe := r.kindsSeen(o.Name, c)
			if !maps.Equal(surely, maybe) {
				continue
			}
			want, pages, wrong := diff.Agrees, 0, 0
			for kind, yes := range surely {
				if !yes {
					continue
				}
				if kind == diff.Unreachable {
					want = diff.Worst(want, diff.CannotBeSeen)
				} else {
					want = diff.Worst(want, diff.Drifts)
					r.equal(name+": "+string(kind), o.Counts[kind], 1)
				}
				if pages++; kind != diff.Extra {
					wrong++
				}
			}
			r.equal(name+": state", o.State, want)
			if !surely[diff.Unreachable] {
				r.equal(name+": kinds", len(o.Counts), pages)
				r.equal(name+": pages that agree", o.Match, o.Pages-wrong)
			}
		}
	}
}

// compareAPI wants the lists of the API to be those of the history.
func (r *reckoning) compareAPI(all []history.Check) {
	byID := map[int64]history.Episode{}
	for _, e := range r.episodes {
		byID[e.ID] = e
	}
	r.equal("episodes of the API", len(r.api), len(r.episodes))
	for _, got := range r.api {
		e, name := byID[got.ID], fmt.Sprint("episode ", got.ID, " of the API")
		closed := time.Time{}
		if got.Closed != nil {
			closed = *got.Closed
		}
		r.equal(name, fmt.Sprint(got.Origin, got.Kind, got.Opened.UTC(), got.LastSeen.UTC(), closed.UTC()), fmt.Sprint(e.Origin, e.Kind, e.Opened.UTC(), e.LastSeen.UTC(), e.Closed.UTC()))
		for _, f := range r.w.faults {
			if f.origin != e.Origin || f.kind != e.Kind || e.Closed.IsZero() {
				continue
			}
			lasted := f.end.Sub(f.start)
			r.within(name+": lower_ms", time.Duration(got.Lower) <= lasted, time.Duration(got.Lower), lasted)
			r.within(name+": upper_ms", got.Upper == nil || time.Duration(*got.Upper)+time.Microsecond >= lasted, got.Upper, lasted)
		}
	}
	checks := map[int64]history.Check{}
	for _, c := range all {
		checks[c.ID] = c
	}
	for _, got := range r.apiChecks {
		c, name := checks[got.ID], fmt.Sprint("check ", got.ID, " of the API")
		r.equal(name, fmt.Sprint(got.Started.UTC(), got.Error, len(got.Origins)), fmt.Sprint(c.Started.UTC(), c.Err, len(c.Origins)))
	}
	publishes, err := r.h.Publishes(r.t.Context(), time.Time{}, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.within("publishes", len(publishes) <= 4, len(publishes), "4 at most")
	r.equal("publishes of the API", len(r.publishes), len(publishes))
	for i, p := range r.publishes {
		r.equal(fmt.Sprint("publish ", p.ID), p.Outcome, "live")
		r.within("publishes are listed from the latest on", i == 0 || p.ID < r.publishes[i-1].ID, p.ID, "less")
	}
}

// episodeOf is the number of the episode that an event is of.
func (r *reckoning) episodeOf(e numbersEvent) (found history.Episode, ok bool) {
	for _, one := range r.episodes {
		if strings.TrimPrefix(e.Episode, "episode/") == strconv.FormatInt(one.ID, 10) {
			return one, true
		}
	}
	return found, false
}

// compareEvents wants no episode to be told of twice, and what is told to be true.
func (r *reckoning) compareEvents() {
	opened, closed := map[int64]int{}, map[int64]int{}
	for _, told := range r.w.hook.events() {
		e, ok := r.episodeOf(told)
		r.within("an alert is of an episode", ok, told, "one of the history")
		r.equal("origin of an alert", told.Origin, e.Origin)
		r.within("begin of an alert", told.Opened.Sub(e.Opened).Abs() < time.Second, told.Opened, e.Opened)
		if told.Closed != nil {
			r.within("end of an alert", told.Closed.Sub(e.Closed).Abs() < time.Second, told.Closed, e.Closed)
		}
		if told.Change == "opened" || told.Change == "passed" {
			opened[e.ID]++
		}
		if told.Change == "closed" || told.Change == "passed" {
			closed[e.ID]++
		}
	}
	for _, e := range r.episodes {
		r.within(fmt.Sprint("alerts of the begin of episode ", e.ID), opened[e.ID] <= 1, opened[e.ID], "1 at most")
		r.within(fmt.Sprint("alerts of the end of episode ", e.ID), closed[e.ID] <= 1, closed[e.ID], "1 at most")
	}
}

// toldAll reports whether the begin and the end of every episode was told.
func (r *reckoning) toldAll() bool {
	episodes, err := r.h.Episodes(r.t.Context(), history.EpisodeFilter{})
	if err != nil {
		return false
	}
	r.episodes = episodes
	opened, closed := map[int64]bool{}, map[int64]bool{}
	for _, told := range r.w.hook.events() {
		e, _ := r.episodeOf(told)
		opened[e.ID] = opened[e.ID] || told.Change == "opened" || told.Change == "passed"
		closed[e.ID] = closed[e.ID] || told.Change == "closed" || told.Change == "passed"
	}
	return !slices.ContainsFunc(episodes, func(e history.Episode) bool { return !opened[e.ID] || !closed[e.ID] })
}

// compareSnapshots compares what the daemon showed of its latest check at several times.
func (r *reckoning) compareSnapshots() {
	for i, s := range r.snapshots {
		if s.overview.Checked == nil {
			r.t.Errorf("snapshot %d has no check", i)
			continue
		}
		at := slices.IndexFunc(r.checks, func(c history.Check) bool { return c.Started.Equal(*s.overview.Checked) })
		if at < 0 {
			r.t.Errorf("snapshot %d is of a check at %s, which is not on record", i, s.overview.Checked)
			continue
		}
		c := r.checks[at]
		name := fmt.Sprintf("snapshot %d, of check %d", i, c.ID)
		for _, o := range c.Origins {
			r.equal(name+": mirror_origin_agrees of "+o.Name, s.metrics[fmt.Sprintf("mirror_origin_agrees{origin=%q}", o.Name)] == 1, o.State == diff.Agrees)
			for _, kind := range diff.Kinds() {
				if o.Err == "" {
					got := s.metrics[fmt.Sprintf("mirror_drift_pages{kind=%q,origin=%q}", kind, o.Name)]
					r.equal(fmt.Sprintf("%s: mirror_drift_pages of %s, %s", name, o.Name, kind), got, o.Counts[kind])
				}
			}
			shown := slices.IndexFunc(s.overview.Origins, func(at reports.OriginStatus) bool { return at.Name == o.Name })
			r.within(name+": the overview has "+o.Name, shown >= 0 && s.overview.Origins[shown].State == o.State, s.overview.Origins, o.State)
		}
		open := 0
		for _, e := range r.episodes {
			if !e.Opened.After(c.Started.Add(c.Elapsed)) && (e.Closed.IsZero() || e.Closed.After(c.Started.Add(c.Elapsed))) {
				open++
			}
		}
		r.equal(name+": open episodes", len(s.overview.Drift), open)
		sent := s.metrics["mirror_notifications_sent_total"]
		// One message may be under way, and one of the process before.
		r.within(name+": mirror_notifications_sent_total", int(sent) >= s.before-2 && int(sent) <= s.accepted, sent, fmt.Sprint(s.before-2, " to ", s.accepted))
	}
}

// compareReport compares the report of a period.
func (r *reckoning) compareReport(since, until time.Time) {
	p, err := summary.Of(r.t.Context(), r.h, since, until)
	if err != nil {
		r.t.Fatal(err)
	}
	name := fmt.Sprintf("report from %s to %s: ", since.Format("15:04:05.000"), until.Format("15:04:05.000"))
	inside := slices.DeleteFunc(slices.Clone(r.checks), func(c history.Check) bool { return c.Started.Before(since) || !c.Started.Before(until) })
	r.equal(name+"checks", p.Checks, len(inside))
	all := func(c history.Check) diff.State {
		state := diff.Agrees
		for _, o := range c.Origins {
			state = diff.Worst(state, o.State)
		}
		return state
	}
	r.compareAgreement(name+"all origins: ", p.Agreement, inside, since, until, all)
	for _, o := range p.Origins {
		r.compareAgreement(name+o.Name+": ", o.Agreement, inside, since, until, func(c history.Check) diff.State {
			return c.Origins[slices.IndexFunc(c.Origins, func(s diff.OriginState) bool { return s.Name == o.Name })].State
		})
		r.compareLengths(name+o.Name+": ", o.Episodes, o.Open, o.Longest, o.LongestUpper, o.Recovery, since, until, o.Name)
	}
	r.compareLengths(name+"all origins: ", p.EpisodeCount, -1, nil, nil, p.Recovery, since, until, "")
	days := 0
	for _, d := range p.Days {
		days += d.Checks
	}
	r.equal(name+"checks of all days", days, len(inside)*len(r.w.origins))
	publishes, err := r.h.Publishes(r.t.Context(), since, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	publishes = slices.DeleteFunc(publishes, func(p history.Publish) bool { return !p.Started.Before(until) })
	r.equal(name+"publishes", p.PublishCount, len(publishes))
}

// compareAgreement reckons how many checks, and how much time, an origin spent in each state.
func (r *reckoning) compareAgreement(name string, got reports.Agreement, inside []history.Check, since, until time.Time, state func(history.Check) diff.State) {
	count, spent := map[diff.State]int{}, map[diff.State]time.Duration{}
	for _, c := range inside {
		count[state(c)]++
	}
	spend := func(s diff.State, from, to time.Time) {
		if from.Before(since) {
			from = since
		}
		if to.After(until) {
			to = until
		}
		spent[s] += max(0, to.Sub(from))
	}
	for i := 1; i < len(r.checks); i++ {
		from, to := r.checks[i-1].Started, r.checks[i].Started
		middle := from.Add(to.Sub(from) / 2)
		spend(state(r.checks[i-1]), from, middle)
		spend(state(r.checks[i]), middle, to)
	}
	r.equal(name+"checks by state", fmt.Sprint(got.Agreed, got.Drifted, got.Unreachable), fmt.Sprint(count[diff.Agrees], count[diff.Drifts], count[diff.CannotBeSeen]))
	for _, one := range []struct {
		state diff.State
		got   reports.Millis
	}{{diff.Agrees, got.AgreedFor}, {diff.Drifts, got.DriftedFor}, {diff.CannotBeSeen, got.UnreachableFor}} {
		off := (time.Duration(one.got) - spent[one.state]).Abs()
		r.within(name+"time in the state "+string(one.state), off <= time.Millisecond, time.Duration(one.got), spent[one.state])
	}
}

// compareLengths compares the figures that are made of the lengths of episodes with the lengths of the faults.
func (r *reckoning) compareLengths(name string, count, open int, longest, longestUpper *reports.Millis, recovery *reports.Recovery, since, until time.Time, origin string) {
	var episodes, lasting, ended, unbounded int
	var sum, most time.Duration
	for _, f := range r.w.faults {
		for _, e := range r.episodes {
			if e.Origin != f.origin || e.Kind != f.kind || origin != "" && e.Origin != origin || !e.Opened.Before(until) || !e.Closed.IsZero() && e.Closed.Before(since) {
				continue
			}
			episodes++
			end := f.end
			switch {
			case e.Closed.IsZero() || !e.Closed.Before(until):
				lasting++
				if end.After(until) {
					end = until
				}
			case e.LastGood.IsZero():
				unbounded++
			default:
				ended++
				sum += f.end.Sub(f.start)
			}
			most = max(most, end.Sub(f.start))
		}
	}
	r.equal(name+"episodes", count, episodes)
	if open >= 0 {
		r.equal(name+"open episodes", open, lasting)
	}
	if episodes == 0 {
		r.within(name+"no recovery", recovery == nil && longest == nil, recovery, nil)
		return
	}
	if longest != nil {
		r.within(name+"longest", time.Duration(*longest) <= most && (longestUpper == nil || time.Duration(*longestUpper) >= most), *longest, most)
	}
	r.equal(name+"recovery", fmt.Sprint(recovery.Episodes, recovery.Open, recovery.Unbounded), fmt.Sprint(ended, lasting, unbounded))
	if ended > 0 {
		mean := sum / time.Duration(ended)
		r.within(name+"mean time to recovery", time.Duration(recovery.Mean.Lower) <= mean && time.Duration(recovery.Mean.Upper) >= mean-1, *recovery.Mean, mean)
	}
}
