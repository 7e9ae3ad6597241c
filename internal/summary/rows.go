package summary

import (
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/reports"
)

// check shows a check.
func check(c history.Check) reports.HistoryCheck {
	return reports.HistoryCheck{
		ID: c.ID, Started: c.Started, Elapsed: reports.Millis(c.Elapsed), Job: c.Job, Release: c.Release, Pages: c.Pages, Partial: c.Partial,
		State: together(c), Error: c.Err,
		Origins: each(c.Origins, func(o diff.OriginState) reports.OriginStatus { return reports.OriginStatusOf(o, c.Started) }),
	}
}

// together is the state of all origins of a check, "" for one that saw none.
func together(c history.Check) diff.State {
	return diff.Worst(each(c.Origins, func(o diff.OriginState) diff.State { return o.State })...)
}

// publish shows a publish.
func publish(p history.Publish) reports.PeriodPublish {
	one := reports.PeriodPublish{
		ID: p.ID, Started: p.Started, Elapsed: reports.Millis(p.Elapsed), Job: p.Job, Outcome: p.Outcome, Release: p.Release, Previous: p.Previous,
		Files: p.Files, Bytes: p.Sent, Error: p.Err, Reason: p.Details.Reason, Rollback: p.Details.Rollback,
	}
	for _, t := range p.Details.Targets {
		one.Targets = append(one.Targets, reports.PublishTarget{
			Name: t.Name, Type: t.Type, From: t.From, To: t.To, Add: t.Add, Change: t.Change, Delete: t.Delete, Same: t.Same,
			SentFiles: t.SentFiles, SentBytes: t.SentBytes, Stage: reports.Millis(t.Stage), Commit: reports.Millis(t.Commit),
			Committed: instant(t.Committed), Error: t.Err,
		})
	}
	if p.Window != nil {
		window := reports.WindowOf(*p.Window)
		one.Window = &window
	}
	return one
}

// run shows a run of a job.
func run(r history.Run) reports.HistoryRun {
	return reports.HistoryRun{
		Job: r.Job, Slot: r.Slot, Triggered: r.Triggered, Started: r.Started, Elapsed: reports.Millis(r.Elapsed), Outcome: r.Outcome, Error: r.Err,
	}
}

// loggedRun shows a run with what it printed.
func loggedRun(r history.Run) reports.LoggedRun {
	return reports.LoggedRun{HistoryRun: run(r), Log: r.Log}
}

// episode shows an episode as it stood at an instant.
func episode(e history.Episode, now time.Time) reports.PeriodEpisode {
	one := reports.PeriodEpisode{
		ID: e.ID, Origin: e.Origin, Kind: e.Kind, Opened: e.Opened, LastSeen: e.LastSeen, Pages: e.Pages, MostPages: e.MostPages,
		Paths: append([]string{}, e.Paths...), Release: e.Release, Detail: e.Detail, Excerpt: e.Excerpt, URL: e.URL,
		Lower: reports.Millis(max(0, earlier(e.LastSeen, now).Sub(e.Opened))), Lasted: reports.Millis(max(0, now.Sub(e.Opened))),
	}
	if !e.LastGood.IsZero() {
		one.LastGood = &e.LastGood
	}
	if e.Closed.IsZero() || !e.Closed.Before(now) {
		return one
	}
	one.Closed, one.Lasted = &e.Closed, reports.Millis(e.Closed.Sub(e.Opened))
	if one.LastGood != nil {
		upper := reports.Millis(e.Closed.Sub(e.LastGood))
		one.Upper = &upper
	}
	return one
}

// each makes one of each, [] of none.
func each[T, D any](all []T, of func(T) D) []D {
	made := make([]D, 0, len(all))
	for _, one := range all {
		made = append(made, of(one))
	}
	return made
}

// instant is a time that may be missing: nil for zero.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
