package daemon

import (
	"context"
	"errors"
	"time"

	"mirror/internal/wait"
	"mirror/scheduler"
)

// retry is how long a publish that a change asks for waits while the job runs.
const retry = time.Second

// follow has the jobs that watch the site's folder publish its changes, until ctx ends.
func (d *Daemon) follow(ctx context.Context) {
	for ctx.Err() == nil {
		d.mu.Lock()
		setup, replaced := d.setup, d.replaced
		d.mu.Unlock()
		within, stop := context.WithCancel(ctx)
		go func() {
			select {
			case <-replaced:
			case <-within.Done():
			}
			stop()
		}()
		if watching(setup) {
			f := folder{dir: setup.Site, ignored: setup.Ignored, settle: d.options.Settle, poll: pollInterval, log: d.options.Log}
			f.follow(within, func(ctx context.Context) { d.siteChanged(ctx, setup, f) })
		}
		<-within.Done()
		stop()
	}
}

func watching(s Setup) bool {
	for _, j := range s.Jobs {
		if j.Watch {
			return true
		}
	}
	return false
}

// siteChanged publishes a folder that is not as it was published last, once this daemon leads its group.
func (d *Daemon) siteChanged(ctx context.Context, s Setup, f folder) {
	if d.awaitLead(ctx) != nil {
		return
	}
	d.mu.Lock()
	same := d.prints[s.Site] == f.print()
	d.mu.Unlock()
	if same {
		d.options.Log.Info("the site's folder is as it was published last: nothing to do", "site", s.Site)
		return
	}
	d.options.Log.Info("the site's folder may have changed: it is published", "site", s.Site)
	for _, j := range s.Jobs {
		if j.Watch {
			d.triggerByChange(ctx, j.Name)
		}
	}
}

// triggerByChange runs a job and waits for its end; if it is running, once that is over.
func (d *Daemon) triggerByChange(ctx context.Context, job string) {
	for {
		d.mu.Lock()
		d.changed[job] = true
		d.mu.Unlock()
		ended, err := d.runner.Trigger(job)
		if err == nil {
			select {
			case <-ended:
			case <-ctx.Done():
			}
			return
		}
		d.mu.Lock()
		delete(d.changed, job)
		d.mu.Unlock()
		if !errors.Is(err, scheduler.ErrRunning) || wait.Sleep(ctx, retry) != nil {
			return
		}
	}
}
