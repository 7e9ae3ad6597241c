package daemon

import (
	"context"
	"slices"
	"time"

	"mirror/internal/history"
)

// resume notes as interrupted what an earlier process did not come to the end of, and ends
// the episodes of what is no origin any more.
func (d *Daemon) resume(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, recording)
	defer done()
	cut, err := d.options.History.RecoverRuns(ctx)
	if err != nil {
		d.options.Log.Error("cannot write to the history", "err", err)
	}
	for _, r := range cut {
		d.options.Log.Warn("a run was interrupted when the daemon ended last", "job", r.Job, "began", r.Started)
	}
	d.loadAlarms(ctx)
	d.loadPublished(ctx)
	d.dropOrigins(ctx)
	for _, j := range d.current().Jobs {
		if last, before, err := d.options.History.LastRun(ctx, j.Name); j.Kind == Release && err == nil && before && last.Outcome == history.Interrupted {
			d.options.Log.Warn("the release was on its way when the daemon ended last: it is published now", "job", j.Name, "release", j.Release)
			d.fresh = append(d.fresh, j.Name)
		}
		if _, before, err := d.options.History.LastSlot(ctx, j.Name); j.Kind == Check && err == nil && !before {
			d.fresh = append(d.fresh, j.Name)
		}
	}
}

// dropOrigins ends the episodes of origins that the config does not name any more.
func (d *Daemon) dropOrigins(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, recording)
	defer done()
	d.records.Lock()
	defer d.records.Unlock()
	origins := d.current().Origins
	closed, err := d.options.History.CloseEpisodes(ctx, time.Now(), func(origin string) bool { return slices.Contains(origins, origin) })
	if err != nil {
		d.options.Log.Error("cannot close the episodes of former origins", "err", err)
	}
	d.notifyChanges(history.Changes{Closed: closed})
	d.dropCertificates(ctx, origins)
}
