package origin

import (
	"context"

	"golang.org/x/time/rate"
)

// Pace keeps the rate at which one origin is asked, for all clients that share it: no
// second has more requests. It is safe for concurrent use.
type Pace struct {
	limiter *rate.Limiter
	line    chan struct{} // held by who is next: nobody else has a time of its own yet
}

// slower is how much slower than allowed requests are sent, since the network may bring
// one that was sent in time nearer to the next.
const slower = 0.98

// NewPace returns the pace of so many requests a second; 0 is no limit.
func NewPace(requests float64) *Pace {
	limit := rate.Inf
	if requests > 0 {
		limit = rate.Limit(requests * slower)
	}
	return &Pace{limiter: rate.NewLimiter(limit, 1), line: make(chan struct{}, 1)}
}

// Wait waits for the turn of one request. The error is ctx's.
func (p *Pace) Wait(ctx context.Context) error {
	if p.limiter.Limit() == rate.Inf {
		return ctx.Err()
	}
	select {
	case p.line <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.line }()
	return p.limiter.Wait(ctx)
}
