package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// lately is how far back closed episodes are told again after a start, so that what waited for
// a quiet time to end is told. Whoever was told is not told twice.
const lately = 24 * time.Hour

// tellChanges tells of the episodes that a check opened, changed and closed.
func (d *Daemon) tellChanges(c history.Changes) {
	for _, e := range c.Opened {
		d.options.Log.Warn("an episode has opened", "origin", e.Origin, "kind", e.Kind, "pages", e.Pages, "episode", e.ID)
		d.tellEpisode(e)
	}
	for _, e := range c.Changed {
		d.tellEpisode(e)
	}
	for _, e := range c.Closed {
		d.options.Log.Info("an episode has closed", "origin", e.Origin, "kind", e.Kind, "episode", e.ID, "lasted", e.Closed.Sub(e.Opened).Round(time.Second))
		d.tellEpisode(e)
	}
}

// tellAgain tells of all that is open and of what closed lately. A daemon that died between
// remembering and telling does so now.
func (d *Daemon) tellAgain(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, 4*recording)
	defer done()
	episodes, err := d.options.History.Episodes(ctx, history.EpisodeFilter{Since: time.Now().Add(-lately)})
	if err != nil {
		d.options.Log.Error("what is open is not known", "err", err)
	}
	for _, e := range slices.Backward(episodes) {
		d.tellEpisode(e)
	}
	d.tellPublishes(ctx)
}

func (d *Daemon) tellEpisode(e history.Episode) {
	event := notify.Event{
		Kind: notify.Drift, Episode: episodeName(e.ID), Origin: e.Origin,
		Counts: map[string]int{string(e.Kind): e.Pages}, Paths: e.Paths,
		Opened: e.Opened, Closed: e.Closed, URL: d.link(fmt.Sprintf("episodes/%d", e.ID)),
	}
	if e.Kind == diff.Unreachable {
		event.Kind = notify.Unreachable
	}
	if e.Release != "" {
		event.Lines = append(event.Lines, "What it serves is of release "+e.Release.Short()+".")
	}
	if e.Detail != "" {
		event.Lines = append(event.Lines, e.Detail)
	}
	d.told().Send(event)
}

// episodeName names an episode to recipients.
func episodeName(id int64) string { return fmt.Sprintf("episode/%d", id) }

// link is the URL of one of the dashboard's pages, "" where nobody said how it is reached.
func (d *Daemon) link(page string) string {
	base := d.current().Link
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + "/" + page
}

// tellPublish remembers a publish and tells of one that failed, of one that went well after
// that, and of a window that was too long.
func (r *run) tellPublish(ctx context.Context, p history.Publish, failure error) {
	if p.Outcome == "failed" && outcomeOf(ctx, failure) == scheduler.Interrupted {
		p.Outcome = interrupted
	}
	if failure != nil {
		p.Err = failure.Error()
	}
	p.Job, p.Started, p.Elapsed = r.job.Name, r.began, time.Since(r.began)
	log := r.options.Log.With("job", r.job.Name, "outcome", p.Outcome, "release", p.Release.Short(), "elapsed", p.Elapsed.Round(time.Millisecond))
	if p.Err == "" {
		log.Info("published")
	} else {
		log.Error("published", "err", p.Err)
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), recording)
	defer done()
	id, err := r.options.History.RecordPublish(ctx, p)
	if err != nil {
		r.options.Log.Error("a publish is not remembered", "job", r.job.Name, "err", err)
		return
	}
	p.ID = id
	r.tellPublishes(ctx)
	r.tellWindow(p)
}
