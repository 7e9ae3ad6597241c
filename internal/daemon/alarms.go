package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// nearEnd is how long before its end a certificate is told of: time enough to renew it by
// hand, and less than any service leaves that renews by itself.
const nearEnd = 14 * 24 * time.Hour

// publishesBack is how many publishes are looked through for when they began to fail.
const publishesBack = 1000

// alarms are what was told of and is no drift: at most one for each origin or job.
type alarms struct {
	certificates map[string]notify.Event // by origin
	overdue      map[string]notify.Event // by job
	failing      int64                   // the publish since which all failed, 0 while they do not
}

func newAlarms() alarms {
	return alarms{certificates: map[string]notify.Event{}, overdue: map[string]notify.Event{}}
}

// tellCertificates tells once of each certificate that is near its end, and when it was
// renewed.
func (r *run) tellCertificates(v diff.Verdict) {
	now := time.Now()
	for _, o := range v.Origins {
		ends := o.Facts.Expires
		if ends.IsZero() {
			continue
		}
		event := notify.Event{
			Kind: notify.Certificate, Episode: fmt.Sprintf("certificate/%s/%d", o.Name, ends.Unix()), Origin: o.Name,
			Lines:  []string{"It ends on " + ends.UTC().Format("2006-01-02 15:04 MST") + "."},
			Opened: ends.Add(-nearEnd), URL: r.link("origins/" + o.Name),
		}
		r.mu.Lock()
		before, open := r.alarms.certificates[o.Name]
		delete(r.alarms.certificates, o.Name)
		near := now.After(event.Opened)
		if near {
			r.alarms.certificates[o.Name] = event
		}
		r.mu.Unlock()
		if open && before.Episode != event.Episode {
			before.Closed = now
			r.told().Send(before)
		}
		if near {
			r.told().Send(event)
		}
	}
}

// tellWindow tells of a publish for which the origins surely disagreed for too long.
func (r *run) tellWindow(p history.Publish) {
	limit := r.current().WindowLimit
	if limit == 0 || p.Window == nil || p.Window.Lower <= limit {
		return
	}
	event := notify.Event{
		Kind: notify.Window, Episode: fmt.Sprintf("window/%d", p.ID), Opened: p.Started,
		Title: fmt.Sprintf("the origins disagreed for at least %s, and %s is allowed", p.Window.Lower.Round(time.Millisecond), limit),
		URL:   r.link(fmt.Sprintf("publishes/%d", p.ID)),
	}
	r.told().Send(event)
	if p.Window.Closed {
		event.Closed = p.Started.Add(p.Elapsed)
		r.told().Send(event)
	}
}

// tellPublishes tells when publishes begin to fail, and when one went well again.
func (d *Daemon) tellPublishes(ctx context.Context) {
	newest, err := d.options.History.PublishesBefore(ctx, 0, publishesBack)
	if err != nil {
		d.options.Log.Error("how publishes went is not known", "err", err)
		return
	}
	newest = slices.DeleteFunc(newest, ofNoConcern)
	well, failed := failingSince(newest)
	if len(failed) == 0 {
		return
	}
	first, last := failed[len(failed)-1], failed[0]
	event := notify.Event{
		Kind: notify.PublishFailed, Opened: first.Started, Lines: []string{last.Err},
		Title: "publish " + outcomeWords(last.Outcome), URL: d.link(fmt.Sprintf("publishes/%d", last.ID)),
	}
	d.mu.Lock()
	if d.alarms.failing == 0 {
		d.alarms.failing = first.ID
	}
	event.Episode = fmt.Sprintf("publish/%d", d.alarms.failing)
	if well != nil {
		d.alarms.failing = 0
		event.Closed = well.Started.Add(well.Elapsed)
	}
	d.mu.Unlock()
	d.told().Send(event)
}

// interrupted is the outcome of a publish that was told to stop before it changed anything.
const interrupted = "interrupted"

// ofNoConcern are publishes that changed nothing, and that whoever broke them off knows of.
func ofNoConcern(p history.Publish) bool {
	return p.Outcome == interrupted || p.Outcome == "failed" && p.Job == ""
}

// failingSince returns the latest publishes in a row that failed, and the first that went
// well after them, nil for none. The newest come first.
func failingSince(newest []history.Publish) (well *history.Publish, failed []history.Publish) {
	for i, p := range newest {
		good := p.Outcome == "live" || p.Outcome == "unchanged"
		switch {
		case !good:
			failed = append(failed, p)
		case len(failed) > 0:
			return well, failed
		default:
			well = &newest[i]
		}
	}
	return well, failed
}

func outcomeWords(outcome string) string {
	switch outcome {
	case "diverged":
		return "is live, and the origins do not agree"
	case "rolled_back":
		return "failed and was rolled back"
	case "mixed":
		return "failed and could not be rolled back: origins may be mixed"
	}
	return "failed; the origins are unchanged"
}

// mind sees to it, until ctx ends, that nothing is overdue without anybody knowing, and that
// what a check by hand found is told as well.
func (d *Daemon) mind(ctx context.Context) {
	d.tellAgain(ctx)
	d.lookAtOnce(ctx)
	tick, found := time.NewTicker(minding), time.NewTicker(others)
	defer tick.Stop()
	defer found.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.tellOverdue()
		case <-found.C:
			d.tellAgain(ctx)
		}
	}
}

// lookAtOnce runs the checks that have never run, so that nobody waits for their first slot to
// see how it stands.
func (d *Daemon) lookAtOnce(ctx context.Context) {
	for _, job := range d.fresh {
		for {
			_, err := d.runner.Trigger(job)
			if !errors.Is(err, scheduler.ErrStopped) || !pause(ctx, starting) { // it is about to run
				break
			}
		}
	}
}

// tellOverdue tells of checks that are overdue, and of those that are not any more.
func (d *Daemon) tellOverdue() {
	late, now := d.Overdue(), time.Now()
	var events []notify.Event
	d.mu.Lock()
	for _, job := range late {
		if _, open := d.alarms.overdue[job]; !open {
			event := notify.Event{
				Kind: notify.Overdue, Episode: fmt.Sprintf("overdue/%s/%d", job, now.Unix()), Opened: now,
				Title: "the check " + job + " is overdue",
			}
			d.alarms.overdue[job] = event
			events = append(events, event)
		}
	}
	for job, event := range d.alarms.overdue {
		if !slices.Contains(late, job) {
			delete(d.alarms.overdue, job)
			event.Closed = now
			events = append(events, event)
		}
	}
	d.mu.Unlock()
	for _, e := range events {
		if e.Closed.IsZero() {
			d.options.Log.Error(e.Title)
		} else {
			d.options.Log.Info(e.Title + " no longer")
		}
		d.told().Send(e)
	}
	if len(events) > 0 {
		d.options.Changed()
	}
}

// note writes what the scheduler does into the log.
func (d *Daemon) note(e scheduler.Event) {
	log := d.options.Log.With("job", e.Slot.Job)
	switch e.Kind {
	case scheduler.EventStarted:
		log.Debug("started", "slot", e.Slot.At, "reason", string(e.Slot.Reason))
	case scheduler.EventFinished:
		finished(log, e.Result)
	case scheduler.EventPanicked:
		log.Error("a job panicked", "err", e.Err)
	case scheduler.EventSkipped:
		log.Warn("a slot is passed over: the job is running, or the slot was run before", "slot", e.Slot.At)
	case scheduler.EventMissed:
		log.Warn("slots were missed", "missed", e.Slot.Missed, "next", e.Slot.At)
	case scheduler.EventStepped:
		d.options.Log.Warn("the clock leapt, or the machine slept", "by", e.By.Round(time.Second))
	case scheduler.EventUnrecorded:
		log.Error("the history cannot be written; the job runs nevertheless", "err", e.Err)
	}
}

func finished(log *slog.Logger, r scheduler.Result) {
	log = log.With("took", r.Took.Round(time.Millisecond))
	switch r.Outcome {
	case scheduler.Done:
		log.Debug("done")
	case scheduler.Interrupted:
		log.Warn("a job was interrupted")
	default:
		log.Error("a job did not come to its end", "outcome", string(r.Outcome), "err", r.Err)
	}
}
