package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Notifier notifies recipients of events. It is safe for concurrent use.
type Notifier struct {
	couriers []*courier
	scrub    func(text string) string
	cancel   context.CancelFunc // ends the couriers
	running  sync.WaitGroup
}

// New returns a notifier that keeps events until Start. Close it after use. The error says which
// recipient cannot be notified, and why, without its secrets.
func New(recipients []Recipient, options Options) (*Notifier, error) {
	options = options.filled()
	n := &Notifier{scrub: options.Scrub, cancel: func() {}}
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
	return n, nil
}

// Start begins to tell, and continues where the process before ended. A notifier of the same
// recipients must have been closed. It is called once, before Close.
func (n *Notifier) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	for _, c := range n.couriers {
		n.running.Go(func() { c.run(ctx) })
	}
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

// Close sends what is ready, without waiting for more to join it, and stops. What waits for the end of a
// quiet time or of flapping is kept for the next process. The error says how many notifications were
// not delivered before ctx was done.
func (n *Notifier) Close(ctx context.Context) error {
	for _, c := range n.couriers {
		c.Close()
	}
	stop := context.AfterFunc(ctx, n.cancel)
	n.running.Wait()
	stop()
	n.cancel()
	var errs []error
	for _, c := range n.couriers {
		if c.undone > 0 { // no goroutine writes it any more
			errs = append(errs, fmt.Errorf("notify %s: %d notifications could not be delivered", c.name, c.undone))
		}
	}
	return errors.Join(errs...)
}

// Stats returns the counts of each recipient, in their order.
func (n *Notifier) Stats() []Stats {
	var all []Stats
	for _, c := range n.couriers {
		all = append(all, c.stats())
	}
	return all
}
