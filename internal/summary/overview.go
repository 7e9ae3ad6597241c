package summary

import (
	"cmp"
	"context"
	"slices"
	"time"

	"mirror/diff"
	"mirror/reports"
	"mirror/site"
)

// How much of the history an overview rests on.
const (
	recentEpisodes  = 50 // that the state of an origin is read from
	recentPublishes = 50
)

// Overview tells how things stand, with the last days of each origin. Named are the
// configured origins in their order, by name and URL; where there are none, those of the
// latest check are listed. The jobs are for the caller to add.
func (r Reader) Overview(ctx context.Context, named []diff.OriginState, days int) (reports.Overview, error) {
	now := r.now().UTC()
	o := reports.Overview{Schema: "mirror.overview/v1", Now: now, Overdue: []string{}, Jobs: []reports.Job{}}
	var err error
	if o.Check, err = r.LastCheck(ctx); err != nil {
		return o, err
	}
	latest, err := r.Checks(ctx, 0, 1)
	if err != nil {
		return o, err
	}
	if len(latest) > 0 {
		o.Latest = &latest[0]
	}
	if o.Drift, err = r.Episodes(ctx, EpisodeFilter{Open: true}); err != nil {
		return o, err
	}
	if o.Check != nil {
		o.Release, o.Checked = o.Check.Release, instant(o.Check.Started)
	}
	if o.PublishID, o.Published, err = r.LiveSince(ctx, o.Release); err != nil {
		return o, err
	}
	if p, ok, err := r.Publish(ctx, o.PublishID); err != nil {
		return o, err
	} else if ok && p.Window != nil {
		o.Fronts = p.Window.Fronts
	}
	o.Origins = known(named, o.Check)
	o.State = cmp.Or(diff.Worst(each(o.Origins, func(at reports.OriginStatus) diff.State { return at.State })...), diff.Unknown)
	o.Agree = o.State == diff.Agrees
	return o, r.addPast(ctx, &o, days)
}

// LiveSince finds the publish that made a release live, and when it was done; 0 and nil where
// none is on record. Later publishes of the same release do not move it.
func (r Reader) LiveSince(ctx context.Context, release site.ID) (id int64, at *time.Time, err error) {
	publishes, err := r.Publishes(ctx, 0, recentPublishes)
	for _, p := range publishes { // the newest first
		turned := p.Outcome == "live" || p.Outcome == "diverged"
		switch {
		case turned && p.Release == release && release != site.None:
			id, at = p.ID, instant(p.Started.Add(time.Duration(p.Elapsed)))
		case turned && id != 0:
			return id, at, err
		}
	}
	return id, at, err
}

// known lists the configured origins as the check saw them, or all that it saw where none is
// configured.
func known(named []diff.OriginState, c *reports.HistoryCheck) []reports.OriginStatus {
	seen := []reports.OriginStatus{}
	if c != nil {
		seen = c.Origins
	}
	if len(named) == 0 {
		return slices.Clone(seen)
	}
	return each(named, func(o diff.OriginState) reports.OriginStatus {
		if i := slices.IndexFunc(seen, func(s reports.OriginStatus) bool { return s.Name == o.Name }); i >= 0 {
			return seen[i]
		}
		o.State = diff.Unknown
		return reports.OriginStatusOf(o, time.Time{})
	})
}

// addPast adds to the origins since when each stands as it does, and its days.
func (r Reader) addPast(ctx context.Context, o *reports.Overview, days int) error {
	today := o.Now.Truncate(24 * time.Hour)
	all, err := r.Days(ctx, today.AddDate(0, 0, 1-days))
	if err != nil {
		return err
	}
	for i := range o.Origins {
		at := &o.Origins[i]
		at.Days = slices.DeleteFunc(slices.Clone(all), func(d reports.PeriodDay) bool { return d.Origin != at.Name })
		if at.Since, err = r.since(ctx, o.Drift, *at); err != nil {
			return err
		}
	}
	return nil
}

// since finds since when an origin stands as it does: since its oldest drift that lasts, or
// since its latest that ended. It is nil where that is not on record.
func (r Reader) since(ctx context.Context, open []reports.PeriodEpisode, o reports.OriginStatus) (since *time.Time, err error) {
	for _, e := range open {
		if e.Origin == o.Name && (since == nil || e.Opened.Before(*since)) {
			since = instant(e.Opened)
		}
	}
	if since != nil || o.State != diff.Agrees {
		return since, nil
	}
	episodes, err := r.Episodes(ctx, EpisodeFilter{Origin: o.Name, Limit: recentEpisodes})
	for _, e := range episodes {
		if e.Closed != nil && (since == nil || e.Closed.After(*since)) {
			since = e.Closed
		}
	}
	return since, err
}
