package daemon

import (
	"context"
	"time"

	"mirror/internal/daemon/replica"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// regrouped is closed when leads may be another one; nil without a group.
func (d *Daemon) regrouped() <-chan struct{} {
	if d.options.Group == nil {
		return nil
	}
	return d.options.Group.Changed()
}

// awaitLead waits until this daemon leads. The error is that of ctx.
func (d *Daemon) awaitLead(ctx context.Context) error {
	for ctx.Err() == nil {
		changed := d.regrouped()
		if d.leads() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// send sends an event to the recipients. A daemon that does not lead sends none: when it leads, it sends those that are
// not known to be sent.
func (d *Daemon) send(e notify.Event) {
	if d.leads() {
		d.sender().Send(e)
	}
}

// turnWithin is how long a slot waits for the daemon that leads to begin it. It is longer than another one takes to lead.
const turnWithin = time.Minute

// slotInterval is how often a slot that waits is looked for in the history.
const slotInterval = 500 * time.Millisecond

// awaitTurn waits until this daemon leads, so that no slot is lost while none does. It is false when another daemon has
// begun the slot, or does not begin it.
func (d *Daemon) awaitTurn(ctx context.Context, slot scheduler.Slot) bool {
	ctx, done := context.WithTimeout(ctx, turnWithin)
	defer done()
	for {
		changed := d.regrouped()
		if d.leads() {
			return true
		}
		last, ok, err := d.options.History.LastSlot(ctx, slot.Job)
		if ok && err == nil && !last.Before(slot.At) {
			return false
		}
		select {
		case <-changed:
		case <-time.After(slotInterval):
		case <-ctx.Done():
			return false
		}
	}
}

// share has a record sent to the other daemons.
func (d *Daemon) share(ctx context.Context, r replica.Record) {
	if d.outbox != nil {
		d.outbox.Add(ctx, r)
	}
}

// delivered has the other daemons know that a notification was delivered.
func (d *Daemon) delivered(ctx context.Context, key string, at time.Time) {
	if d.outbox == nil {
		return
	}
	sent, err := replica.SentOf(ctx, d.options.History, key, at)
	if err != nil {
		d.options.Log.Warn("another daemon may send a notification again", "err", err)
	}
	if sent != nil {
		d.share(ctx, replica.Record{Sent: sent})
	}
}
