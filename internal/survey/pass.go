package survey

import (
	"context"
	"errors"
	"sync"
	"time"

	"mirror/internal/origin"
)

// Pass is what one pass over many pages of an origin has come to. It gives up the origin when too
// many requests have had no answer. Its methods may be called from several goroutines.
type Pass struct {
	client  *origin.Client
	options PassOptions
	giveUp  context.CancelFunc // of the current Run

	mu     sync.Mutex
	counts Counts
	waited time.Duration // for answers that did not come
}

// PassOptions bound a pass.
type PassOptions struct {
	// Budget is how long may be spent on requests that have no answer, over all of them; 0 for
	// no bound.
	Budget time.Duration
	// Progress, if set, hears after each answer how many there are.
	Progress func(done int)
}

// Counts are the answers of a pass.
type Counts struct {
	Done       int   // pages that were asked for
	Unanswered int   // of them, those that had no answer at all
	InARow     int   // of those, the last ones with no answer in between
	Last       error // why the last of them had none
	GaveUp     bool  // the origin is not asked further, since it does not answer
	Silent     error // why the origin is not asked further, since nothing came for a while
	Limited    int   // pages that were not judged, since the origin limits requests
	Limit      error // why the origin is not asked further, since it limits requests
}

// Answered is how many pages had an answer.
func (c Counts) Answered() int { return c.Done - c.Unanswered }

// NewPass begins a pass by a client.
func NewPass(client *origin.Client, o PassOptions) *Pass { return &Pass{client: client, options: o} }

// MaxUnanswered is how many requests in a row may have no answer before an origin is given up.
func MaxUnanswered(concurrency int) int { return max(2*concurrency, 8) }

// Run has ask send its requests with a context that ends when the origin is given up, or when it
// has been silent for as long as s says. Counts tells which of them. It may be called again, for
// more pages of the same pass, but not at the same time.
func (p *Pass) Run(ctx context.Context, s Silence, ask func(ctx context.Context)) {
	heard, stop := UntilSilent(ctx, p.client, s)
	defer stop()
	p.client.RenewLimits()
	inner, giveUp := context.WithCancel(heard)
	defer giveUp()
	p.giveUp = giveUp
	ask(inner)
	p.counts.Silent = context.Cause(heard)
}

// Count counts the answer to one page of the current Run. status is 0 where there was none, err
// says why, and took is how long that lasted. keep is called first and may store the answer: no two
// calls run at once.
func (p *Pass) Count(status int, err error, took time.Duration, keep func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	keep()
	c := &p.counts
	c.Done++
	if p.options.Progress != nil {
		p.options.Progress(c.Done)
	}
	switch {
	case status != 0:
		c.InARow = 0
	case errors.Is(err, origin.Busy):
	default:
		c.InARow, c.Unanswered, c.Last = c.InARow+1, c.Unanswered+1, err
		p.waited += took
		c.GaveUp = c.GaveUp || c.InARow >= MaxUnanswered(p.client.Concurrency()) || p.options.Budget > 0 && p.waited >= p.options.Budget
	}
	if errors.Is(err, origin.Busy) {
		c.Limited++
		l, _ := p.client.Limited()
		c.Limit = l.Exceeded
	}
	if c.GaveUp || c.Limit != nil {
		p.giveUp()
	}
}

// Counts returns what was counted so far. It is whole when Run has returned.
func (p *Pass) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}
