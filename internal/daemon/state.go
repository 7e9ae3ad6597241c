package daemon

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"mirror/internal/daemon/replica"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// recording is how long a note of what was done may take, also when everything stops.
const recording = 2 * time.Second

// Daemon runs jobs. Its methods are safe for concurrent use.
type Daemon struct {
	options Options
	runner  *scheduler.Runner
	fresh   []string        // checks that have never run; written before anything runs
	outbox  *replica.Outbox // of records for the other daemons of the group; nil without one
	world   chan struct{}   // holds one while a job touches, or judges, the live origins

	hangs   hangs
	records sync.Mutex // held while a check, or the end of an origin, changes episodes; before mu

	mu       sync.Mutex
	setup    Setup
	replaced chan struct{} // closed when another setup takes its place
	notifier *notify.Notifier
	alarms   alarms
	changed  map[string]bool   // jobs that run because the site's folder was changed
	prints   map[string]string // of the site's folder, as it was last published
	refused  error

	asking    sync.Mutex      // guards requested
	requested RollbackRequest // that came last
}

// current returns the setup that is in force.
func (d *Daemon) current() Setup {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.setup
}

// leads reports whether this daemon runs the schedule and sends alerts.
func (d *Daemon) leads() bool { return d.options.Group == nil || d.options.Group.Leads() }

// sender returns the notifier that is in force.
func (d *Daemon) sender() *notify.Notifier {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.notifier
}

// Refuse remembers that another setup could not be had, until one can: the one so far stays.
func (d *Daemon) Refuse(err error) {
	d.mu.Lock()
	d.refused = err
	d.mu.Unlock()
	d.options.Changed()
}

// Refused returns why the latest setup could not be had, nil where it was.
func (d *Daemon) Refused() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused
}

// Status tells of each job how it stands, in their order.
func (d *Daemon) Status() []scheduler.Status {
	all := d.runner.Status()
	for i := range all {
		all[i].Overdue = all[i].Overdue && d.leads()
	}
	return all
}

// Jobs lists the jobs of the setup.
func (d *Daemon) Jobs() []Job { return slices.Clone(d.current().Jobs) }

// Notifications counts what became of messages, by recipient.
func (d *Daemon) Notifications() []notify.Stats { return d.sender().Stats() }

// Trigger runs the first job of a kind now, without waiting for its end. The errors are the
// scheduler's.
func (d *Daemon) Trigger(kind Kind) error {
	for _, j := range d.current().Jobs {
		if j.Kind == kind {
			_, err := d.runner.Trigger(j.Name)
			return err
		}
	}
	return fmt.Errorf("the schedule has no job with run: %s: %w", kind, scheduler.ErrUnknown)
}

// Overdue lists the checks that ought to have been done by now and have not been. A daemon that does not lead its group
// has none to do.
func (d *Daemon) Overdue() []string {
	if !d.leads() {
		return nil
	}
	late := d.runner.Overdue(time.Now())
	var names []string
	for _, j := range d.current().Jobs {
		if j.Kind == Check && slices.Contains(late, j.Name) {
			names = append(names, j.Name)
		}
	}
	return names
}

// Hanging lists the jobs with a run that did not end in its time.
func (d *Daemon) Hanging() []string { return d.hangs.jobs() }
