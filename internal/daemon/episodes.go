package daemon

import (
	"fmt"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/notify"
)

// notifyChanges notifies of the episodes that a check opened, changed and closed.
func (d *Daemon) notifyChanges(c history.Changes) {
	for _, e := range c.Opened {
		d.options.Log.Warn("an episode has opened", "origin", e.Origin, "kind", e.Kind, "pages", e.Pages, "episode", e.ID)
		d.notifyEpisode(e)
	}
	for _, e := range c.Changed {
		d.notifyEpisode(e)
	}
	for _, e := range c.Closed {
		d.options.Log.Info("an episode has closed", "origin", e.Origin, "kind", e.Kind, "episode", e.ID, "lasted", e.Closed.Sub(e.Opened).Round(time.Second))
		d.notifyEpisode(e)
	}
}

func (d *Daemon) notifyEpisode(e history.Episode) {
	event := notify.Event{
		Kind: notify.Drift, Episode: episodeName(e.ID), Origin: e.Origin,
		Counts: map[string]int{string(e.Kind): e.Pages}, Paths: e.Paths,
		Opened: e.Opened, Closed: e.Closed, URL: d.link(fmt.Sprintf("episodes/%d", e.ID)),
	}
	if e.Kind == diff.Unreachable {
		event.Kind, event.Reason = notify.Unreachable, e.Detail
	}
	if strings.HasPrefix(e.Detail, injected) {
		event.Severity, event.Reason = notify.Critical, e.Detail
	}
	if e.Release != "" {
		event.Lines = append(event.Lines, "What it serves is of release "+e.Release.Short()+".")
	}
	if e.Detail != "" {
		event.Lines = append(event.Lines, e.Detail)
	}
	d.send(event)
}

// injected begins the detail of a page that holds what others put in (see internal/check): a person
// must look at once.
const injected = "injected: "

// episodeName names an episode to recipients.
func episodeName(id int64) string { return fmt.Sprintf("episode/%d", id) }

// link is the URL of one of the dashboard's pages, "" where the dashboard's address is not configured.
func (d *Daemon) link(page string) string {
	base := d.current().Link
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + "/" + page
}
