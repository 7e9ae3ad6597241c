package notify

import (
	"log/slog"
	"time"
)

// Options say how recipients are notified. The zero value of each is its default.
type Options struct {
	Ledger  Ledger        // of what was sent; nil for one that ends with the process
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

// Stats counts what became of one recipient's messages.
type Stats struct {
	Name                                string
	Delivered, Failed, Dropped, Waiting int
	LastDelivered, LastFailed           time.Time
}
