package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/notify"
	"mirror/scheduler"
)

const (
	defaultGrace  = 4 * time.Second
	defaultSettle = 2 * time.Second
	// farewell is how long what is ready to be told may take when the daemon stops.
	farewell = 800 * time.Millisecond
	// onceFarewell is how long it may take where that is all there is to do.
	onceFarewell = 30 * time.Second
	// polling is how often a site's folder is looked at where the system cannot tell of changes.
	polling = 10 * time.Second
	// minding is how often it is seen to whether checks are overdue.
	minding = time.Minute
	// starting is how long the scheduler is waited for, each time, until it runs.
	starting = 10 * time.Millisecond
	// others is how often it is looked up what checks and publishes by hand have found.
	others = 10 * time.Minute
)

// Daemon runs jobs. Its methods are safe for concurrent use.
type Daemon struct {
	options Options
	runner  *scheduler.Runner
	fresh   []string      // checks that have never run; written before anything runs
	world   chan struct{} // holds one while a job touches, or judges, the live origins

	records sync.Mutex // held while a check, or the end of an origin, changes episodes; before mu

	mu       sync.Mutex
	setup    Setup
	replaced chan struct{} // closed when another setup takes its place
	notifier *notify.Notifier
	alarms   alarms
	changed  map[string]bool   // jobs that run because the site's folder was changed
	prints   map[string]string // of the site's folder, as it was last published
	refused  error
}

// New returns a daemon that Run starts. It tells recipients nothing before that.
func New(s Setup, o Options) (*Daemon, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	o.Notify.Ledger = letters{o.History}
	o.Grace, o.Settle = cmp.Or(o.Grace, defaultGrace), cmp.Or(o.Settle, defaultSettle)
	d := &Daemon{
		options: o, setup: s, world: make(chan struct{}, 1), replaced: make(chan struct{}),
		changed: map[string]bool{}, prints: map[string]string{}, alarms: newAlarms(),
	}
	var err error
	d.runner, err = scheduler.New(d.schedule(s), scheduler.Options{
		Ledger: ledger{o.History}, Events: d.note, Grace: o.Grace, Seed: o.Seed,
	})
	if err != nil {
		return nil, err
	}
	d.notifier, err = notify.New(s.Recipients, o.Notify)
	return d, err
}

// schedule makes the scheduler's jobs of a setup's.
func (d *Daemon) schedule(s Setup) []scheduler.Job {
	var jobs []scheduler.Job
	for _, j := range s.Jobs {
		jobs = append(jobs, scheduler.Job{
			Name: j.Name, Schedule: j.Schedule, Timeout: j.Timeout, Jitter: j.Jitter, CatchUp: j.CatchUp, Do: d.do(j, s.Work),
		})
	}
	return jobs
}

// Run runs the jobs until ctx ends. Then it cancels those that are running, notes them as
// interrupted, and tells what is ready to be told, all within the grace and a second. The
// error says what did not stop or was not told.
func (d *Daemon) Run(ctx context.Context) error {
	d.resume(ctx)
	beside, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { d.mind(beside) })
	all.Go(func() { d.follow(beside) })
	err := d.runner.Run(ctx)
	stop()
	all.Wait()
	leaving, done := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer done()
	return errors.Join(err, d.told().Close(leaving))
}

// Replace puts another setup in the place of the one so far. Jobs that run go on as they
// began. On an error nothing is changed.
func (d *Daemon) Replace(s Setup) error {
	before := d.current()
	var fresh *notify.Notifier
	if !reflect.DeepEqual(before.Recipients, s.Recipients) {
		var err error
		if fresh, err = notify.New(s.Recipients, d.options.Notify); err != nil {
			return err
		}
	}
	if err := d.runner.Replace(d.schedule(s)); err != nil {
		return errors.Join(err, d.part(fresh))
	}
	d.mu.Lock()
	d.setup, d.refused = s, nil
	close(d.replaced)
	d.replaced = make(chan struct{})
	old := d.notifier
	if fresh != nil {
		d.notifier = fresh
	}
	d.mu.Unlock()
	d.options.Changed()
	d.dropOrigins(context.Background())
	if fresh == nil {
		return nil
	}
	err := d.part(old)
	d.tellAgain(context.Background())
	return err
}

// part ends a notifier, which may be nil.
func (d *Daemon) part(n *notify.Notifier) error {
	if n == nil {
		return nil
	}
	ctx, done := context.WithTimeout(context.Background(), farewell)
	defer done()
	if err := n.Close(ctx); err != nil {
		return fmt.Errorf("those who were told before: %w", err)
	}
	return nil
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

func (d *Daemon) current() Setup {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.setup
}

func (d *Daemon) told() *notify.Notifier {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.notifier
}

// Status tells of each job how it stands, in their order.
func (d *Daemon) Status() []scheduler.Status { return d.runner.Status() }

// Jobs lists the jobs of the setup.
func (d *Daemon) Jobs() []Job { return slices.Clone(d.current().Jobs) }

// Notifications counts what became of messages, by recipient.
func (d *Daemon) Notifications() []notify.Stats { return d.told().Stats() }

// Trigger runs the first job of a kind now, without waiting for its end. The errors are the
// scheduler's.
func (d *Daemon) Trigger(kind Kind) error {
	for _, j := range d.current().Jobs {
		if j.Run == kind {
			_, err := d.runner.Trigger(j.Name)
			return err
		}
	}
	return fmt.Errorf("the schedule has no job with run: %s: %w", kind, scheduler.ErrUnknown)
}

// Overdue lists the checks that ought to have been done by now and have not been.
func (d *Daemon) Overdue() []string {
	late := d.runner.Overdue(time.Now())
	var names []string
	for _, j := range d.current().Jobs {
		if j.Run == Check && slices.Contains(late, j.Name) {
			names = append(names, j.Name)
		}
	}
	return names
}

// Once runs every check of the setup once, one after another, tells who is to be told, and
// returns the verdicts: that something was not remembered, or could not be delivered, goes to
// the log. The error says which check came to no verdict. It takes the place of Run.
func (d *Daemon) Once(ctx context.Context) (verdicts []diff.Verdict, err error) {
	d.resume(ctx)
	d.tellAgain(ctx)
	for _, j := range d.current().Jobs {
		if j.Run != Check {
			continue
		}
		slot := scheduler.Slot{Job: j.Name, At: time.Now(), Reason: scheduler.Triggered}
		r := &run{Daemon: d, job: j, work: d.current().Work, slot: slot, began: slot.At}
		err = errors.Join(err, r.whole(ctx))
		verdicts = append(verdicts, r.verdict)
	}
	leaving, done := context.WithTimeout(context.WithoutCancel(ctx), onceFarewell)
	defer done()
	if lost := d.told().Close(leaving); lost != nil {
		d.options.Log.Error("not everybody was told", "err", lost)
	}
	return verdicts, err
}
