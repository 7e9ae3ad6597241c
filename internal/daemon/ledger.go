package daemon

import (
	"context"
	"time"

	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// ledger has the history remember which slots were begun.
type ledger struct{ history *history.Store }

var _ scheduler.Ledger = ledger{}

// Last returns the latest slot of a job that was begun.
func (l ledger) Last(ctx context.Context, job string) (time.Time, bool, error) {
	return l.history.LastSlot(ctx, job)
}

// Begin notes that a slot begins.
func (l ledger) Begin(ctx context.Context, job string, slot time.Time) (bool, error) {
	return l.history.BeginRun(ctx, history.Run{Job: job, Slot: slot, Started: time.Now()})
}

// End notes how a slot went.
func (l ledger) End(ctx context.Context, job string, slot time.Time, outcome string) error {
	return l.history.EndRun(ctx, history.Run{Job: job, Slot: slot, Outcome: outcome})
}

// letters has the history remember what was told, and what waits to be told.
type letters struct {
	history   *history.Store
	delivered func(ctx context.Context, key string, at time.Time)
}

var _ notify.Ledger = letters{}

// Sent reports whether what the key names was told.
func (l letters) Sent(ctx context.Context, key string) (bool, error) { return l.history.Sent(ctx, key) }

// Record notes an attempt to tell it.
func (l letters) Record(ctx context.Context, key string, at time.Time, err error) error {
	if err == nil {
		l.delivered(ctx, key, at)
	}
	return l.history.RecordSent(ctx, key, at, err)
}

// Load returns the state of a recipient.
func (l letters) Load(ctx context.Context, recipient string) ([]byte, time.Time, error) {
	return l.history.State(ctx, "recipient/"+recipient)
}

// Save keeps the state of a recipient.
func (l letters) Save(ctx context.Context, recipient string, at time.Time, state []byte) error {
	return l.history.SaveState(ctx, "recipient/"+recipient, at, state)
}
