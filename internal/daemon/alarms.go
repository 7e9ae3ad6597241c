package daemon

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"mirror/internal/notify"
)

// alarms are the open alarms that are not drift: at most one for each origin or job.
type alarms struct {
	certificates map[string]notify.Event // by origin
	overdue      map[string]notify.Event // by job
	failing      int64                   // the publish since which all failed, 0 while they do not
	checked      map[string]bool         // jobs with a verdict since the start
}

func newAlarms() alarms {
	return alarms{certificates: map[string]notify.Event{}, overdue: map[string]notify.Event{}, checked: map[string]bool{}}
}

// savedAlarms are the alarms that the next process must know to notify of their end.
type savedAlarms struct {
	Certificates, Overdue map[string]notify.Event
}

// alarmsName is the name under which the history keeps them.
const alarmsName = "alarms"

// loadAlarms continues with the alarms of the process before.
func (d *Daemon) loadAlarms(ctx context.Context) {
	text, _, err := d.options.History.State(ctx, alarmsName)
	var saved savedAlarms
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &saved)
	}
	if err != nil {
		d.options.Log.Error("cannot read which alarms are open: their end is not notified", "err", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.Copy(d.alarms.certificates, saved.Certificates)
	maps.Copy(d.alarms.overdue, saved.Overdue)
}

// saveAlarms keeps the alarms for the next process.
func (d *Daemon) saveAlarms(ctx context.Context) {
	d.mu.Lock()
	text, err := json.Marshal(savedAlarms{d.alarms.certificates, d.alarms.overdue})
	d.mu.Unlock()
	if err == nil {
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), recording)
		defer done()
		err = d.options.History.SaveState(ctx, alarmsName, time.Now(), text)
	}
	if err != nil {
		d.options.Log.Error("cannot record which alarms are open: after a restart their end is not notified", "err", err)
	}
}

// resendAlarms notifies of the alarms that are open.
func (d *Daemon) resendAlarms() {
	d.mu.Lock()
	events := slices.Concat(slices.Collect(maps.Values(d.alarms.certificates)), slices.Collect(maps.Values(d.alarms.overdue)))
	d.mu.Unlock()
	for _, e := range events {
		d.send(e)
	}
}
