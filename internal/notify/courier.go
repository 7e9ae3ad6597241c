package notify

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The delays between attempts: they double.
const (
	firstRetry = time.Second
	lastRetry  = 10 * time.Minute
)

// courier sends notifications to one recipient, in a goroutine of its own.
type courier struct {
	name    string
	sender  Sender
	scrub   scrubber
	options Options
	log     *slog.Logger
	recent  *Memory // what was told since the start, should the ledger fail
	box     *outbox // of the goroutine alone
	backoff *backoff.ExponentialBackOff
	retry   time.Time // not before
	saved   []byte    // the outbox as it was kept last, without the time

	wake   chan struct{}
	mu     sync.Mutex // guards what follows
	inbox  []arrival
	closed bool
	lost   int // of the inbox, since it was last said
	undone int // that were ready to be told when ctx was done
	counts Stats
}

// arrival is an event and when it came.
type arrival struct {
	event Event
	at    time.Time
}

func newCourier(r Recipient, sender Sender, o Options) *courier {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = firstRetry, lastRetry, 2
	b.Reset()
	c := &courier{
		name: r.Name, sender: sender, scrub: newScrubber(string(r.URL), string(r.Key)), options: o,
		log: o.Logger.With("recipient", r.Name), recent: NewMemory(memoryKeys), backoff: b,
		wake: make(chan struct{}, 1), counts: Stats{Name: r.Name},
	}
	c.box = &outbox{name: r.Name, wishes: wishes{r.On, r.Urgent}, quiet: r.Quiet, options: o}
	return c
}

// accept puts an event into the inbox.
func (c *courier) accept(e Event, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if len(c.inbox) >= c.options.Queue {
		c.inbox = c.inbox[1:]
		c.lost++
	}
	c.inbox = append(c.inbox, arrival{e, now})
	c.signal()
}

// Close ends the accepting of events: what is ready is told in haste.
func (c *courier) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.signal()
}

func (c *courier) signal() {
	select {
	case c.wake <- struct{}{}:
	default: // a wake-up is pending already
	}
}

func (c *courier) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// run tells what comes in until the courier is closed and nothing is ready to be told, or
// until ctx is done.
func (c *courier) run(ctx context.Context) {
	c.box.sent = func(key string) bool { return c.wasSent(ctx, key) }
	c.box.cover = func(keys []string) { c.record(ctx, keys, time.Now(), nil) }
	c.load(ctx)
	defer c.leave(ctx)
	hasty := false
	for ctx.Err() == nil {
		closing := c.absorb()
		if closing && !hasty {
			hasty, c.retry = true, time.Time{}
			c.backoff.Reset()
		}
		now := time.Now()
		c.box.settle(now)
		c.save(ctx, now)
		batch := c.box.batch(now, closing)
		c.count()
		switch {
		case len(batch) == 0 && closing:
			return
		case len(batch) > 0 && !now.Before(c.retry):
			c.deliver(ctx, batch, now)
		default:
			c.sleep(ctx, now, len(batch) > 0)
		}
	}
}

// leave counts what is left undone, for the next process to do.
func (c *courier) leave(ctx context.Context) {
	c.save(ctx, time.Now())
	undone := len(c.box.batch(time.Now(), true))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.undone = undone
}

// absorb moves what came in to the outbox, and reports whether nothing more will come.
func (c *courier) absorb() (closing bool) {
	c.mu.Lock()
	inbox, lost, closing := c.inbox, c.lost, c.closed
	c.inbox, c.lost = nil, 0
	c.mu.Unlock()
	for _, a := range inbox {
		c.box.take(a.event, a.at)
	}
	if lost += c.box.dropped; lost > 0 {
		c.box.dropped = 0
		c.log.Warn("too many notifications wait; the oldest were dropped", "dropped", lost)
		c.mu.Lock()
		c.counts.Dropped += lost
		c.mu.Unlock()
	}
	return closing
}

// sleep waits for an event, for the next thing to do, or for ctx.
func (c *courier) sleep(ctx context.Context, now time.Time, ready bool) {
	at, ok := c.box.wakeAt(now)
	if ready {
		at = c.retry
	} else if ok {
		at = later(at, c.retry)
	}
	var due <-chan time.Time
	if ok || ready {
		timer := time.NewTimer(at.Sub(now))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-c.wake:
	case <-due:
	case <-ctx.Done():
	}
}

// deliver makes one attempt to tell a batch.
func (c *courier) deliver(ctx context.Context, batch []*waiting, now time.Time) {
	var news []News
	var keys []string
	for _, w := range batch {
		news, keys = append(news, w.News), append(keys, w.keys...)
	}
	done := c.box.sending(batch, now)
	c.save(ctx, now) // before: a process that is killed has sent it, or may have
	attempt, cancel := context.WithTimeout(ctx, c.options.Timeout)
	err := c.scrub.error(c.sender.Send(attempt, compose(news, now)))
	cancel()
	now = time.Now()
	c.record(ctx, keys, now, err)
	done(now, err == nil)
	if err != nil {
		c.failed(err, now)
		return
	}
	c.backoff.Reset()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Delivered++
	c.counts.LastDelivered = now
}

// failed decides when to try again.
func (c *courier) failed(err error, now time.Time) {
	wait := c.backoff.NextBackOff()
	var scrubbed *scrubbedError
	if errors.As(err, &scrubbed) {
		wait = max(wait, min(scrubbed.after, maxRetryAfter))
	}
	c.retry = now.Add(wait)
	c.log.Warn("a notification was not delivered", "err", err, "retry", wait.Round(time.Millisecond).String())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Failed++
	c.counts.LastFailed = now
}

func (c *courier) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Waiting = len(c.box.waiting)
}

// wasSent asks the ledger. If that fails, the notification is sent: twice is better than never.
func (c *courier) wasSent(ctx context.Context, key string) bool {
	if told, _ := c.recent.Sent(ctx, key); told {
		return true
	}
	told, err := c.options.Ledger.Sent(ctx, key)
	if err != nil {
		c.log.Error("cannot read which notifications were sent before", "err", c.scrub.error(err))
		return false
	}
	return told
}

// record notes an attempt, after ctx is done too.
func (c *courier) record(ctx context.Context, keys []string, at time.Time, outcome error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.Timeout)
	defer cancel()
	for _, key := range keys {
		_ = c.recent.Record(ctx, key, at, outcome) // has no errors
		if err := c.options.Ledger.Record(ctx, key, at, outcome); err != nil {
			c.log.Error("cannot record which notifications were sent", "err", c.scrub.error(err))
		}
	}
}
