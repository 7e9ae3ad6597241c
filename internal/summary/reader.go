package summary

import (
	"context"
	"fmt"
	"time"

	"mirror/internal/history"
	"mirror/reports"
)

// Source is what a Reader reads of the history. Lists begin with the newest.
type Source interface {
	LastCheck(ctx context.Context) (history.Check, bool, error)
	ChecksBefore(ctx context.Context, before int64, limit int) ([]history.Check, error)
	Episodes(ctx context.Context, f history.EpisodeFilter) ([]history.Episode, error)
	Episode(ctx context.Context, id int64) (history.Episode, bool, error)
	PublishesBefore(ctx context.Context, before int64, limit int) ([]history.Publish, error)
	Publish(ctx context.Context, id int64) (history.Publish, bool, error)
	Runs(ctx context.Context, f history.RunFilter) ([]history.Run, error)
	CheckOfRun(ctx context.Context, r history.Run) (history.Check, bool, error)
	Days(ctx context.Context, since time.Time) ([]history.Day, error)
}

var _ Source = (*history.Store)(nil)

// EpisodeFilter picks episodes.
type EpisodeFilter = history.EpisodeFilter

// RunFilter picks runs of jobs.
type RunFilter = history.RunFilter

// Reader reads documents out of the history. It is safe for concurrent use.
type Reader struct {
	source Source
	now    func() time.Time
}

// NewReader returns a reader of source that shows things as they stand at now.
func NewReader(source Source, now func() time.Time) Reader { return Reader{source, now} }

// LastCheck returns the latest check of everything that came to a verdict, nil for none.
func (r Reader) LastCheck(ctx context.Context) (*reports.HistoryCheck, error) {
	found, ok, err := r.source.LastCheck(ctx)
	if err != nil || !ok {
		return nil, failed("read the latest check", err)
	}
	shown := check(found)
	return &shown, nil
}

// Checks lists the checks before the one with the ID before, or all for 0, limit at most.
func (r Reader) Checks(ctx context.Context, before int64, limit int) ([]reports.HistoryCheck, error) {
	found, err := r.source.ChecksBefore(ctx, before, limit)
	return each(found, check), failed("read the checks", err)
}

// Episodes lists drift episodes.
func (r Reader) Episodes(ctx context.Context, f EpisodeFilter) ([]reports.PeriodEpisode, error) {
	found, err := r.source.Episodes(ctx, f)
	return each(found, r.episode), failed("read what drifted", err)
}

// Episode returns one episode, and whether it is there.
func (r Reader) Episode(ctx context.Context, id int64) (reports.PeriodEpisode, bool, error) {
	found, ok, err := r.source.Episode(ctx, id)
	return r.episode(found), ok, failed("read what drifted", err)
}

// episode shows an episode as it is on record: also an end that the clock has not come to.
func (r Reader) episode(e history.Episode) reports.PeriodEpisode {
	now := r.now()
	if now.Before(e.Closed) {
		now = e.Closed
	}
	return episode(e, now)
}

// Publishes lists the publishes before the one with the ID before, or all for 0, limit at most.
func (r Reader) Publishes(ctx context.Context, before int64, limit int) ([]reports.PeriodPublish, error) {
	found, err := r.source.PublishesBefore(ctx, before, limit)
	return each(found, publish), failed("read the publishes", err)
}

// Publish returns one publish, and whether it is there.
func (r Reader) Publish(ctx context.Context, id int64) (reports.PeriodPublish, bool, error) {
	found, ok, err := r.source.Publish(ctx, id)
	return publish(found), ok, failed("read the publish", err)
}

// Runs lists runs of jobs.
func (r Reader) Runs(ctx context.Context, f RunFilter) ([]reports.LoggedRun, error) {
	found, err := r.source.Runs(ctx, f)
	return each(found, loggedRun), failed("read the runs", err)
}

// JudgedRuns lists runs of jobs as Runs does. Of those that checked the origins it tells what the check
// found.
func (r Reader) JudgedRuns(ctx context.Context, f RunFilter) ([]reports.LoggedRun, error) {
	found, err := r.source.Runs(ctx, f)
	if err != nil {
		return nil, failed("read the runs", err)
	}
	runs := each(found, loggedRun)
	for i, run := range found {
		c, ok, err := r.source.CheckOfRun(ctx, run)
		if err != nil {
			return nil, failed("read the check of a run", err)
		}
		if ok && c.Err == "" {
			runs[i].Found = together(c)
		}
	}
	return runs, nil
}

// Days lists the days of the origins from the one that since is in, the oldest first.
func (r Reader) Days(ctx context.Context, since time.Time) ([]reports.PeriodDay, error) {
	found, err := r.source.Days(ctx, since)
	return each(found, day), failed("read the days", err)
}

func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
