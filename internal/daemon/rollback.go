package daemon

import (
	"context"
	"fmt"
	"slices"

	"mirror/scheduler"
)

// Rollback puts an earlier release live now, without waiting for the end: the one with the ID, or the first digits of
// it, or for "" the one before what is live when the run begins. The errors are the scheduler's: ErrUnknown where the
// setup has no job of the kind Rollback.
func (d *Daemon) Rollback(release string) error {
	d.asking.Lock()
	defer d.asking.Unlock()
	jobs := d.current().Jobs
	i := slices.IndexFunc(jobs, func(j Job) bool { return j.Kind == Rollback })
	if i < 0 {
		return fmt.Errorf("rollback: %w", scheduler.ErrUnknown)
	}
	if _, err := d.runner.Trigger(jobs[i].Name); err != nil {
		return err
	}
	d.requested = release
	return nil
}

// asked returns which release the run is to put live. The scheduler begins no second run before this one has ended, so
// that no later request has replaced it.
func (d *Daemon) asked() string {
	d.asking.Lock()
	defer d.asking.Unlock()
	return d.requested
}

// rollback puts an earlier release live, and remembers how that went. The site's folder remains as it was published: it
// is not published again before it changes or a slot of the schedule comes.
func (r *run) rollback(ctx context.Context) error {
	row, err := r.work.Rollback(ctx, r.asked(), &r.log)
	if row.Outcome != "" {
		r.recordPublish(ctx, row, err)
	}
	return err
}
