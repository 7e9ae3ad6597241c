package replica

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"mirror/internal/history"
	"mirror/internal/wait"
)

// Outbox sends records to the other daemons, in their order. What could not be sent is kept in the history, so that a
// restart loses nothing.
type Outbox struct {
	history *history.Store
	send    func(ctx context.Context, record []byte) error
	scrub   func(text string) string
	from    string
	log     *slog.Logger
	wake    chan struct{}

	mu      sync.Mutex // guards what follows
	pending []json.RawMessage
	size    int
	first   int // the number of pending[0], counted from the start
}

// OutboxOptions say where records go.
type OutboxOptions struct {
	History *history.Store
	Send    func(ctx context.Context, record []byte) error // may be repeated with the same record
	Scrub   func(text string) string                       // takes secrets out; nil for none
	From    string                                         // this daemon
	Log     *slog.Logger
}

// The bounds of what waits: the oldest records are dropped beyond them.
const (
	maxPending = 2000
	maxSize    = 8 << 20 // bytes
)

const (
	stateName   = "group/outbox"
	recording   = 2 * time.Second
	sendTimeout = 5 * time.Second
	retryAfter  = 2 * time.Second
)

// NewOutbox returns an outbox with what an earlier process could not send.
func NewOutbox(ctx context.Context, o OutboxOptions) *Outbox {
	b := &Outbox{history: o.History, send: o.Send, scrub: o.Scrub, from: o.From, log: o.Log, wake: make(chan struct{}, 1)}
	if b.scrub == nil {
		b.scrub = func(text string) string { return text }
	}
	text, _, err := o.History.State(ctx, stateName)
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &b.pending)
	}
	if err != nil {
		o.Log.Error("cannot read which records wait to be sent to other daemons", "err", err)
	}
	for _, r := range b.pending {
		b.size += len(r)
	}
	return b
}

// Add has a record sent. On return it outlives the process.
func (b *Outbox) Add(ctx context.Context, r Record) {
	r.From = b.from
	text, err := r.encode(b.scrub)
	if err != nil {
		b.log.Error("a record is not sent to the other daemons", "err", err)
		return
	}
	b.mu.Lock()
	b.pending, b.size = append(b.pending, text), b.size+len(text)
	dropped := 0
	for ; len(b.pending) > maxPending || b.size > maxSize; dropped++ {
		b.size -= len(b.pending[0])
		b.pending, b.first = b.pending[1:], b.first+1
	}
	b.save(ctx)
	b.mu.Unlock()
	if dropped > 0 {
		b.log.Warn("too many records wait to be sent to the other daemons; the oldest were dropped", "dropped", dropped)
	}
	select {
	case b.wake <- struct{}{}:
	default: // it is about to look
	}
}

// save keeps what waits. The caller holds mu.
func (b *Outbox) save(ctx context.Context) {
	ctx, done := wait.Outlive(ctx, recording)
	defer done()
	text, err := json.Marshal(b.pending)
	if err == nil {
		err = b.history.SaveState(ctx, stateName, time.Now(), text)
	}
	if err != nil {
		b.log.Error("a restart would lose records for the other daemons", "err", err)
	}
}

// Run sends what waits until ctx ends.
func (b *Outbox) Run(ctx context.Context) {
	for {
		var again <-chan time.Time
		if err := b.Flush(ctx); err != nil {
			b.log.Debug("records wait to be sent to the other daemons", "err", err)
			again = time.After(retryAfter)
		}
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		case <-again:
		}
	}
}

// Flush sends what waits, once.
func (b *Outbox) Flush(ctx context.Context) error {
	sent := 0
	defer func() {
		if sent > 0 {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.save(ctx)
		}
	}()
	for {
		b.mu.Lock()
		if len(b.pending) == 0 {
			b.mu.Unlock()
			return nil
		}
		record, number := b.pending[0], b.first
		b.mu.Unlock()
		within, done := context.WithTimeout(ctx, sendTimeout)
		err := b.send(within, record)
		done()
		if err != nil {
			return err
		}
		sent++
		b.mu.Lock()
		if b.first == number { // else it was dropped meanwhile
			b.size -= len(record)
			b.pending, b.first = b.pending[1:], b.first+1
		}
		b.mu.Unlock()
	}
}
