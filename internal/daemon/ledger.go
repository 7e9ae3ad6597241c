package daemon

import (
	"context"
	"slices"
	"time"

	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// ledger has the history remember which slots were begun.
type ledger struct{ history *history.Store }

var _ scheduler.Ledger = ledger{}

// Last returns the latest slot of a job that was begun.
func (l ledger) Last(ctx context.Context, job string) (time.Time, bool, error) {
	return l.history.LastSlot(ctx, job)
}

// Begin notes that a slot begins.
func (l ledger) Begin(ctx context.Context, job string, slot time.Time) (bool, error) {
	return l.history.BeginRun(ctx, history.Run{Job: job, Slot: slot, Started: time.Now()})
}

// End notes how a slot went.
func (l ledger) End(ctx context.Context, job string, slot time.Time, outcome string) error {
	return l.history.EndRun(ctx, history.Run{Job: job, Slot: slot, Outcome: outcome})
}

// letters has the history remember what was told.
type letters struct{ history *history.Store }

var _ notify.Ledger = letters{}

// Sent reports whether what the key names was told.
func (l letters) Sent(ctx context.Context, key string) (bool, error) { return l.history.Sent(ctx, key) }

// Record notes an attempt to tell it.
func (l letters) Record(ctx context.Context, key string, at time.Time, err error) error {
	return l.history.RecordSent(ctx, key, at, err)
}

// resume notes as interrupted what an earlier process did not come to the end of, and ends
// the episodes of what is no origin any more.
func (d *Daemon) resume(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, recording)
	defer done()
	cut, err := d.options.History.RecoverRuns(ctx)
	if err != nil {
		d.options.Log.Error("the history cannot be written", "err", err)
	}
	for _, r := range cut {
		d.options.Log.Warn("a run was cut off when the daemon last ended", "job", r.Job, "began", r.Started)
	}
	d.dropOrigins(ctx)
	for _, j := range d.current().Jobs {
		if _, before, err := d.options.History.LastSlot(ctx, j.Name); j.Run == Check && err == nil && !before {
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
		d.options.Log.Error("episodes of former origins stay open", "err", err)
	}
	d.tellChanges(history.Changes{Closed: closed})
}
