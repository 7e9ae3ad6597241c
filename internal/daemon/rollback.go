package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mirror/internal/wait"
	"mirror/scheduler"
)

// Rollback puts an earlier release live now, without waiting for the end: the one with the ID, or the first digits of
// it, or for "" the one before what is live when the run begins. The errors are the scheduler's: ErrUnknown where the
// setup has no job of the kind Rollback.
func (d *Daemon) Rollback(release string) error {
	return d.requestRollback(RollbackRequest{Release: release})
}

func (d *Daemon) requestRollback(r RollbackRequest) error {
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
	d.requested = r
	return nil
}

// completeRollback runs a rollback that was killed again. The release that it was to put live is known to the work.
func (d *Daemon) completeRollback(ctx context.Context) {
	if !d.current().Unfinished {
		return
	}
	again := RollbackRequest{Resume: true}
	err := d.requestRollback(again)
	for errors.Is(err, scheduler.ErrStopped) && wait.Sleep(ctx, startInterval) == nil { // it is about to run
		err = d.requestRollback(again)
	}
	if err != nil && ctx.Err() == nil {
		d.options.Log.Error("a rollback was interrupted, and is not completed (hint: mirror rollback completes it)", "err", err)
	}
}

// asked returns what the run is to do. The scheduler begins no second run before this one has ended, so
// that no later request has replaced it.
func (d *Daemon) asked() RollbackRequest {
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
