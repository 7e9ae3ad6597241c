package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/internal/wait"
	"mirror/scheduler"
)

const (
	// monitorInterval is how often monitor looks whether checks are overdue.
	monitorInterval = time.Minute
	// resendInterval is how often monitor looks in the history for what checks and publishes by hand found.
	resendInterval = 10 * time.Minute
	// startInterval is how long the scheduler is waited for, each time, until it runs.
	startInterval = 10 * time.Millisecond
)

// monitor does, until ctx ends, what only the daemon that leads its group does beside the jobs.
func (d *Daemon) monitor(ctx context.Context) {
	for first := true; d.awaitLead(ctx) == nil; first = false {
		d.resend(ctx)
		d.takeOver(ctx)
		if first {
			d.completeRollback(ctx)
			d.checkAtOnce(ctx, d.fresh)
		}
		d.watchJobs(ctx)
	}
}

// watchJobs notifies, while this daemon leads, of checks that are overdue and of what checks and publishes by hand have found.
func (d *Daemon) watchJobs(ctx context.Context) {
	tick, found := time.NewTicker(monitorInterval), time.NewTicker(resendInterval)
	defer tick.Stop()
	defer found.Stop()
	for d.leads() {
		select {
		case <-ctx.Done():
			return
		case <-d.regrouped():
		case <-tick.C:
			d.notifyOverdue(ctx)
		case <-found.C:
			d.resend(ctx)
		}
	}
}

// checkAtOnce runs the checks that have never run, so that the state is known before their first
// slot, and the releases whose run was interrupted: there is no other slot.
func (d *Daemon) checkAtOnce(ctx context.Context, jobs []string) {
	for _, job := range jobs {
		for {
			_, err := d.runner.Trigger(job)
			if !errors.Is(err, scheduler.ErrStopped) || wait.Sleep(ctx, startInterval) != nil { // it is about to run
				break
			}
		}
	}
}

// notifyOverdue notifies of checks that are overdue, and of those that are not any more.
func (d *Daemon) notifyOverdue(ctx context.Context) {
	events := d.turnOverdue(time.Now())
	for _, e := range events {
		if e.Closed.IsZero() {
			d.options.Log.Error(e.Title)
		} else {
			d.options.Log.Info(e.Ended)
		}
		d.send(e)
	}
	if len(events) > 0 {
		d.saveAlarms(ctx)
		d.options.Changed()
	}
}

// turnOverdue brings the alarms of overdue checks up to date, and returns what has changed. An alarm
// ends with a verdict: after a restart no check is late yet.
func (d *Daemon) turnOverdue(now time.Time) (events []notify.Event) {
	late := d.Overdue()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, job := range late {
		if _, open := d.alarms.overdue[job]; !open {
			event := notify.Event{
				Kind: notify.Overdue, Episode: fmt.Sprintf("overdue/%s/%d", job, now.Unix()), Opened: now,
				Title: "the check " + job + " is overdue: the origins are not being checked", Ended: "the check " + job + " runs again",
			}
			d.alarms.overdue[job] = event
			events = append(events, event)
		}
	}
	for job, event := range d.alarms.overdue {
		scheduled := slices.ContainsFunc(d.setup.Jobs, func(j Job) bool { return j.Name == job && j.Kind == Check })
		if !slices.Contains(late, job) && (d.alarms.checked[job] || !scheduled) {
			delete(d.alarms.overdue, job)
			event.Closed = now
			if !scheduled {
				event.Ended = "the check " + job + " is no longer in the schedule"
			}
			events = append(events, event)
		}
	}
	return events
}

// resend notifies of all that is open and of what closed lately. A daemon that died between
// remembering and telling does so now.
func (d *Daemon) resend(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, 4*recording)
	defer done()
	episodes, err := d.options.History.Episodes(ctx, history.EpisodeFilter{Since: time.Now().Add(-lately)})
	if err != nil {
		d.options.Log.Error("cannot read which episodes are open", "err", err)
	}
	for _, e := range slices.Backward(episodes) {
		d.notifyEpisode(e)
	}
	d.notifyPublishes(ctx)
	d.resendAlarms()
}

// lately is how far back closed episodes are told again after a start, so that what waited for
// a quiet time to end is told. No recipient is told twice.
const lately = 24 * time.Hour

// takeOver runs the checks and releases again that the daemon which led before did not come to the end of.
func (d *Daemon) takeOver(ctx context.Context) {
	if d.options.Group == nil {
		return
	}
	within, done := context.WithTimeout(ctx, recording)
	cut, err := d.options.History.RecoverRuns(within)
	done()
	if err != nil {
		d.options.Log.Error("cannot read which runs were interrupted", "err", err)
	}
	var jobs []string
	for _, j := range d.current().Jobs {
		for _, r := range cut {
			if r.Job == j.Name && (j.Kind == Check || j.Kind == Release) && !slices.Contains(jobs, j.Name) {
				d.options.Log.Warn("a run was interrupted when its daemon ended: the job runs again", "job", j.Name, "began", r.Started)
				jobs = append(jobs, j.Name)
			}
		}
	}
	d.checkAtOnce(ctx, jobs)
}
