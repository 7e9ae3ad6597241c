package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Options say how recipients are told. The zero value of each is its default.
type Options struct {
	Ledger  Ledger        // what was told; nil for one that ends with the process
	Logger  *slog.Logger  // nil for silence
	Group   time.Duration // how long news wait for more to join them: 10 s
	Damp    time.Duration // reopening sooner than this is flapping, and so long is steady: 10 m
	PerHour int           // messages in an hour about one kind of event on one origin: 6
	Queue   int           // news that wait for one recipient; the oldest are dropped: 256
	Timeout time.Duration // of one attempt: 10 s
	// Scrub takes secrets out of what is told; nil to tell everything.
	Scrub func(text string) string
}

// memoryKeys is how many keys a recipient remembers beside the ledger.
const memoryKeys = 1000

func (o Options) filled() Options {
	if o.Ledger == nil {
		o.Ledger = NewMemory(10 * memoryKeys)
	}
	if o.Scrub == nil {
		o.Scrub = func(text string) string { return text }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	fill(&o.Group, 10*time.Second)
	fill(&o.Damp, 10*time.Minute)
	fill(&o.Timeout, 10*time.Second)
	fill(&o.PerHour, 6)
	fill(&o.Queue, 256)
	return o
}

func fill[T int | time.Duration](v *T, initial T) {
	if *v <= 0 {
		*v = initial
	}
}

// Notifier tells recipients of events. It is safe for concurrent use.
type Notifier struct {
	couriers []*courier
	scrub    func(text string) string
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// New starts a notifier. Close it after use. The error tells which recipient cannot be told
// anything, and why, without its secrets.
func New(recipients []Recipient, options Options) (*Notifier, error) {
	options = options.filled()
	n := &Notifier{scrub: options.Scrub}
	var errs []error
	for _, r := range named(recipients) {
		sender, err := r.sender()
		if err != nil {
			errs = append(errs, fmt.Errorf("notify %s: %w", r.Name, err))
			continue
		}
		n.couriers = append(n.couriers, newCourier(r, sender, options))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	for _, c := range n.couriers {
		n.running.Go(func() { c.run(ctx) })
	}
	return n, nil
}

// Send hands an event to every recipient that wants it, and returns at once. An event may be
// sent again and again, after a restart too: its episode's opening is told once, and so is
// its end. After Close, it does nothing.
func (n *Notifier) Send(e Event) {
	now := time.Now()
	e = e.scrubbed(n.scrub).bounded(now)
	for _, c := range n.couriers {
		c.accept(e, now)
	}
}

// Close tells what is ready to be told, in haste, and stops. What waits for the end of a
// quiet time or of a flapping is left to whoever sends it again. The error says how much was
// not delivered before ctx was done.
func (n *Notifier) Close(ctx context.Context) error {
	for _, c := range n.couriers {
		c.close()
	}
	stop := context.AfterFunc(ctx, n.cancel)
	n.running.Wait()
	stop()
	n.cancel()
	var errs []error
	for _, c := range n.couriers {
		if c.undone > 0 { // nobody writes it any more
			errs = append(errs, fmt.Errorf("notify %s: %d news were not delivered", c.name, c.undone))
		}
	}
	return errors.Join(errs...)
}

// Stats counts what became of one recipient's messages.
type Stats struct {
	Name                                string
	Delivered, Failed, Dropped, Waiting int
	LastDelivered, LastFailed           time.Time
}

// Stats returns the counts of each recipient, in their order.
func (n *Notifier) Stats() []Stats {
	var all []Stats
	for _, c := range n.couriers {
		all = append(all, c.stats())
	}
	return all
}
