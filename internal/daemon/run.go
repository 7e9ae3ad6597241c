package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/daemon/replica"
	"mirror/internal/history"
	"mirror/internal/wait"
	"mirror/scheduler"
)

// run is one run of a job.
type run struct {
	*Daemon
	job   Job
	work  Work
	slot  scheduler.Slot
	began time.Time
	log   runLog

	verdict diff.Verdict // of a check
}

// do makes what the scheduler runs of a job.
func (d *Daemon) do(j Job, w Work) func(context.Context, scheduler.Slot) error {
	return func(ctx context.Context, slot scheduler.Slot) error {
		r := &run{Daemon: d, job: j, work: w, slot: slot, began: time.Now()}
		return r.whole(ctx)
	}
}

// whole does the work and notes its beginning and its end, whatever becomes of it.
func (r *run) whole(ctx context.Context) (err error) {
	r.begin(ctx)
	outcome := scheduler.Panicked
	defer func() {
		r.end(ctx, outcome, err)
		r.options.Changed()
	}()
	r.options.Changed()
	err = r.perform(ctx)
	outcome = outcomeOf(ctx, err)
	return err
}

// outcomeOf says how a run ended, in the scheduler's words.
func outcomeOf(ctx context.Context, err error) scheduler.Outcome {
	var panicked *scheduler.PanicError
	switch {
	case err == nil:
		return scheduler.Done
	case errors.As(err, &panicked):
		return scheduler.Panicked
	case errors.Is(context.Cause(ctx), scheduler.ErrTimeout):
		return scheduler.TimedOut
	case ctx.Err() != nil:
		return scheduler.Interrupted
	}
	return scheduler.Failed
}

// row is what is remembered of the run.
func (r *run) row() history.Run {
	return history.Run{Job: r.job.Name, Slot: r.slot.At, Triggered: r.slot.Reason == scheduler.Triggered, Started: r.began}
}

// begin remembers that a run began which is of no slot; of others the ledger does.
func (r *run) begin(ctx context.Context) {
	ctx, done := wait.Outlive(ctx, recording)
	defer done()
	row := r.row()
	r.share(ctx, replica.Record{Begun: &row})
	if r.slot.Reason != scheduler.Triggered {
		return
	}
	if _, err := r.options.History.BeginRun(ctx, row); err != nil {
		r.options.Log.Error("cannot record the begin of a run", "job", r.job.Name, "err", err)
	}
}

// end remembers how the run went, and what it printed.
func (r *run) end(ctx context.Context, outcome scheduler.Outcome, err error) {
	row := r.row()
	row.Elapsed, row.Outcome, row.Log = max(time.Since(r.began), 1), string(outcome), r.log.String()
	if err != nil {
		row.Err = err.Error()
	}
	ctx, done := wait.Outlive(ctx, recording)
	defer done()
	r.share(ctx, replica.Record{Ended: &row})
	if err := r.options.History.EndRun(ctx, row); err != nil {
		r.options.Log.Error("cannot record the end of a run", "job", r.job.Name, "err", err)
	}
}

// perform does what the job is for. Those that touch the live origins, or judge them, wait
// for each other: a check in the middle of a publish would see drift where there is none.
func (r *run) perform(ctx context.Context) error {
	if r.job.Kind == Report {
		return r.bounded(ctx, r.report)
	}
	select {
	case r.world <- struct{}{}:
		defer func() { <-r.world }()
	case <-ctx.Done():
		return fmt.Errorf("waited for another job: %w", context.Cause(ctx))
	}
	switch r.job.Kind {
	case Check:
		return r.bounded(ctx, r.check)
	case Publish:
		return r.bounded(ctx, r.publish)
	case Release:
		return r.bounded(ctx, r.release)
	case Rollback:
		return r.bounded(ctx, r.rollback)
	case Prune:
		return r.bounded(ctx, func(ctx context.Context) error { return r.work.Prune(ctx, &r.log) })
	}
	return fmt.Errorf("unknown kind of job %q", r.job.Kind)
}

// bounded does the work of the run, and waits for its end no longer than it may take.
func (r *run) bounded(ctx context.Context, work func(context.Context) error) error {
	longest := lingering
	if r.job.Kind == Publish || r.job.Kind == Rollback || r.job.Kind == Release {
		longest = publishLingering
	}
	return r.hangs.bounded(ctx, r.job.Name, longest, work)
}

// check looks at the origins and tells of what has changed. That they disagree is a verdict,
// and the run is done; without a verdict it is not, and no episode begins or ends.
func (r *run) check(ctx context.Context) error {
	verdict, err := r.work.Check(ctx, &r.log)
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err) // what was seen is not all
	}
	r.verdict = verdict
	row := replica.CheckOf(r.job.Name, r.began, time.Since(r.began), verdict, err)
	ctx, done := wait.Outlive(ctx, recording)
	defer done()
	changes, recordErr := r.record(ctx, row)
	if recordErr != nil { // the verdict stands
		r.options.Log.Error("cannot record a check: no episode opens or closes with it", "job", r.job.Name, "err", recordErr)
	}
	if err == nil {
		r.judged(ctx, verdict, changes)
	}
	return err
}

// record remembers a check, and has it sent to the other daemons of the group.
func (d *Daemon) record(ctx context.Context, c *replica.Check) (history.Changes, error) {
	d.records.Lock()
	defer d.records.Unlock()
	d.share(ctx, replica.Record{Check: c}) // if this process is killed now, it gets the check from the group
	return d.keep(ctx, c)
}

// keep writes a check of the origins that the config names now into the history: one that began before another setup
// took its place opens no episode of an origin that no check will look at again. The caller holds records.
func (d *Daemon) keep(ctx context.Context, check *replica.Check) (history.Changes, error) {
	c, differences := check.Rows()
	origins := d.current().Origins
	c.Origins = slices.DeleteFunc(slices.Clone(c.Origins), func(o diff.OriginState) bool { return !slices.Contains(origins, o.Name) })
	return d.options.History.RecordCheck(ctx, c, differences)
}

// judged says what a check found, in the log and to recipients.
func (r *run) judged(ctx context.Context, v diff.Verdict, changes history.Changes) {
	level := r.options.Log.Info
	if !v.Agree() {
		level = r.options.Log.Warn
	}
	attrs := []any{"job", r.job.Name, "release", v.Release.Short(), "pages", v.Pages, "elapsed", v.Elapsed.Round(time.Millisecond)}
	for _, o := range v.Origins {
		attrs = append(attrs, o.Name, standing(o))
	}
	level("checked", attrs...)
	for _, note := range v.Notes {
		fmt.Fprintf(&r.log, "note: %s\n", note)
	}
	r.mu.Lock()
	r.alarms.checked[r.job.Name] = true
	r.mu.Unlock()
	r.notifyChanges(changes)
	r.notifyCertificates(ctx, v)
}

// standing says in a few words how an origin stands.
func standing(o diff.OriginVerdict) string {
	switch o.State() {
	case diff.Agrees:
		return string(diff.Agrees)
	case diff.CannotBeSeen:
		return string(diff.CannotBeSeen)
	}
	return fmt.Sprintf("%s: %d of %d pages agree", diff.Drifts, o.Match, o.Pages)
}

// publish builds, puts the site live, and remembers how that went.
func (r *run) publish(ctx context.Context) error {
	if err := r.build(ctx); err != nil {
		r.recordPublish(ctx, history.Publish{Outcome: "failed"}, err)
		return err
	}
	site := r.current().Site
	print := folder{dir: site, ignored: r.current().Ignored}.print()
	noting, done := wait.Outlive(ctx, recording)
	r.publishing(noting, site)
	done()
	row, err := r.work.Publish(ctx, &r.log)
	if err == nil || errors.Is(err, ErrDisagree) { // all targets hold it
		noting, done := wait.Outlive(ctx, recording)
		r.published(noting, site, print)
		done()
	}
	if row.Outcome == unchanged && errors.Is(err, ErrDisagree) {
		r.disagree(err)
		return nil
	}
	r.recordPublish(ctx, row, err)
	return err
}

// disagree notes that there was nothing to publish while origins do not serve what their targets hold.
// That is drift, which checks find and notify of, and no publish that failed.
func (r *run) disagree(err error) {
	r.options.Log.Warn("nothing to publish: all targets hold the release", "job", r.job.Name, "origins", err)
	fmt.Fprintf(&r.log, "nothing to publish: all targets hold the release, and %v (hint: mirror check shows the pages)\n", err)
}

// build makes the site, unless a change of its folder is why the job runs: that was made by
// another program.
func (r *run) build(ctx context.Context) error {
	if r.byChange() || !r.job.Build || r.work.Build == nil {
		return nil
	}
	if err := r.work.Build(ctx, &r.log); err != nil {
		return fmt.Errorf("nothing is published: %w", err)
	}
	return nil
}

// byChange reports whether the run is due to a change of the site's folder.
func (r *run) byChange() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := r.slot.Reason == scheduler.Triggered && r.changed[r.job.Name]
	delete(r.changed, r.job.Name)
	return changed
}

// report is over the time from the slot before to this one. Where this one stands for others
// that were missed, it begins before them.
func (r *run) report(ctx context.Context) error {
	until := r.slot.At
	since := r.job.Schedule.Prev(until)
	for range r.slot.Missed {
		if earlier := r.job.Schedule.Prev(since); !earlier.IsZero() {
			since = earlier
		}
	}
	if since.IsZero() { // there was no slot before
		since = until.Add(-24 * time.Hour)
	}
	return r.work.Report(ctx, r.job.Name, since, until, &r.log)
}

// recordPublish remembers a publish and notifies of one that failed, of one that went well after
// that, and of a window that was too long.
func (r *run) recordPublish(ctx context.Context, p history.Publish, failure error) {
	if (p.Outcome == "failed" || p.Outcome == "rolled_back") && outcomeOf(ctx, failure) == scheduler.Interrupted {
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
	ctx, done := wait.Outlive(ctx, recording)
	defer done()
	id, err := r.options.History.RecordPublish(ctx, p)
	if err != nil {
		r.options.Log.Error("cannot record a publish", "job", r.job.Name, "err", err)
		return
	}
	p.ID = id
	r.notifyPublishes(ctx)
	r.notifyWindow(p)
}
