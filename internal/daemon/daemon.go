package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/daemon/replica"
	"mirror/internal/notify"
	"mirror/scheduler"
)

const (
	defaultGrace  = 4 * time.Second
	defaultSettle = 2 * time.Second
	// closeTimeout is how long what is ready to be sent may take when the daemon stops.
	closeTimeout = 800 * time.Millisecond
	// onceCloseTimeout is how long it may take where that is all there is to do.
	onceCloseTimeout = 30 * time.Second
)

// New returns a daemon that Run starts. It notifies no recipient before that.
func New(s Setup, o Options) (*Daemon, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	o.Grace, o.Settle = cmp.Or(o.Grace, defaultGrace), cmp.Or(o.Settle, defaultSettle)
	d := &Daemon{
		options: o, setup: s, world: make(chan struct{}, 1), replaced: make(chan struct{}),
		changed: map[string]bool{}, prints: map[string]string{}, alarms: newAlarms(),
	}
	if o.Group != nil {
		d.outbox = replica.NewOutbox(context.Background(), replica.OutboxOptions{
			History: o.History, Send: o.Group.Send, Scrub: o.Notify.Scrub, From: o.Name, Log: o.Log,
		})
	}
	d.options.Notify.Ledger = letters{o.History, d.delivered}
	var err error
	d.runner, err = scheduler.New(d.schedule(s), scheduler.Options{
		Ledger: ledger{o.History}, Events: d.logEvent, Grace: o.Grace, Seed: o.Seed, Turn: d.awaitTurn,
	})
	if err != nil {
		return nil, err
	}
	if d.notifier, err = notify.New(s.Recipients, d.options.Notify); err == nil {
		d.notifier.Start()
	}
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
	all.Go(func() { d.monitor(beside) })
	all.Go(func() { d.follow(beside) })
	if d.outbox != nil {
		all.Go(func() { d.outbox.Run(beside) })
		all.Go(func() { d.options.Group.Receive(beside, d.receive) })
	}
	err := d.runner.Run(ctx)
	stop()
	all.Wait()
	leaving, done := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer done()
	err = errors.Join(err, d.sender().Close(leaving))
	if d.outbox != nil {
		if unsent := d.outbox.Flush(leaving); unsent != nil {
			d.options.Log.Warn("records wait to be sent to the other daemons of the group until the next start", "err", unsent)
		}
	}
	return err
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
	if err := d.part(old); err != nil { // the address may be what was wrong: the new recipients are told below
		d.options.Log.Warn("the former recipients did not get all notifications", "err", err)
	}
	fresh.Start() // after the end of the old one, which notes what it sent
	d.resend(context.Background())
	return nil
}

// part ends a notifier, which may be nil.
func (d *Daemon) part(n *notify.Notifier) error {
	if n == nil {
		return nil
	}
	ctx, done := context.WithTimeout(context.Background(), closeTimeout)
	defer done()
	if err := n.Close(ctx); err != nil {
		return fmt.Errorf("former recipients: %w", err)
	}
	return nil
}

// Once runs every check of the setup once, one after another, sends the notifications, and
// returns the verdicts. What could not be recorded or delivered is logged. The error says which
// check came to no verdict. It is called instead of Run.
func (d *Daemon) Once(ctx context.Context) (verdicts []diff.Verdict, err error) {
	d.resume(ctx)
	d.resend(ctx)
	for _, j := range d.current().Jobs {
		if j.Kind != Check {
			continue
		}
		slot := scheduler.Slot{Job: j.Name, At: time.Now(), Reason: scheduler.Triggered}
		r := &run{Daemon: d, job: j, work: d.current().Work, slot: slot, began: slot.At}
		err = errors.Join(err, r.whole(ctx))
		verdicts = append(verdicts, r.verdict)
	}
	leaving, done := context.WithTimeout(context.WithoutCancel(ctx), onceCloseTimeout)
	defer done()
	if lost := d.sender().Close(leaving); lost != nil {
		d.options.Log.Error("not all notifications were delivered", "err", lost)
	}
	return verdicts, err
}
