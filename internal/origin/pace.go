package origin

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"mirror/internal/wait"
)

// Pace keeps the rate at which one origin is asked, for all clients that share it: no
// second has more requests. Where the origin refuses requests the rate falls, and rises again while
// it answers: additive increase, multiplicative decrease. It is safe for concurrent use.
type Pace struct {
	limiter *rate.Limiter
	line    chan struct{} // held by the next request: no other one has a time of its own yet
	ceiling rate.Limit    // what is configured
	bounded atomic.Bool   // there is something to wait for

	served atomic.Int64 // answers since the rate was last lowered
	first  atomic.Int64 // when the first of them came, in nanoseconds after epoch
	epoch  time.Time

	mu      sync.Mutex
	lowered time.Time  // when the rate was last lowered, zero for never
	resume  rate.Limit // up to which it rises fast
	step    rate.Limit // by how much it rises in a second after that
	until   time.Time  // no request is sent before
}

const (
	// slower is how much slower than allowed requests are sent, since the network may bring
	// one that was sent in time nearer to the next.
	slower = 0.98
	// slowest is the lowest rate that refusals lead to, in requests a second: low enough for every
	// limit, and high enough to notice soon that a limit's time is over.
	slowest rate.Limit = 0.5
	// unlimited is what a pace without a rate is lowered from.
	unlimited rate.Limit = 400
	// rise is in how many seconds the rate would rise from zero to where it was refused.
	rise = 16
)

// NewPace returns the pace of so many requests a second; 0 is no limit.
func NewPace(requests float64) *Pace {
	limit := rate.Inf
	if requests > 0 {
		limit = rate.Limit(requests * slower)
	}
	p := &Pace{limiter: rate.NewLimiter(limit, 1), line: make(chan struct{}, 1), ceiling: limit, epoch: time.Now()}
	p.bounded.Store(limit != rate.Inf)
	return p
}

// Wait waits for the turn of one request. The error is ctx's.
func (p *Pace) Wait(ctx context.Context) error {
	if !p.bounded.Load() {
		return ctx.Err()
	}
	select {
	case p.line <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.line }()
	if err := p.rest(ctx); err != nil {
		return err
	}
	err := p.limiter.Wait(ctx)
	if err != nil && ctx.Err() == nil { // its turn would come after ctx's deadline
		return context.DeadlineExceeded
	}
	return err
}

// Rate is how many requests a second are sent now, 0 for no limit.
func (p *Pace) Rate() float64 {
	if limit := p.limiter.Limit(); limit != rate.Inf {
		return float64(limit)
	}
	return 0
}

// Served says that the origin answered a request. The rate rises where it was lowered.
func (p *Pace) Served() {
	if p.served.Add(1) == 1 {
		p.first.Store(int64(time.Since(p.epoch)))
	}
	if !p.bounded.Load() || p.limiter.Limit() >= p.ceiling {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.limiter.Limit()
	if now < p.resume {
		p.limiter.SetLimit(min(p.resume, now+min(now, 1)))
		return
	}
	p.limiter.SetLimit(min(p.ceiling, now+p.step/now))
}

// Refused says that the origin refused a request that was sent at an instant since it has had too
// many. The rate is halved, and lowered to what the origin has served since the last time where that
// is less, or quartered where it has served nothing, but not below least. Of the requests that were on their way together the first counts.
func (p *Pace) Refused(sent time.Time, least float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !sent.After(p.lowered) {
		return
	}
	now := min(p.limiter.Limit(), unlimited)
	next := now / 4
	served := p.served.Swap(0)
	if served > 0 {
		next = now / 2
		elapsed := time.Since(p.epoch) - time.Duration(p.first.Load())
		next = min(next, rate.Limit(float64(served)/max(elapsed, time.Second).Seconds()))
	}
	next = min(now, max(next, slowest, rate.Limit(least)))
	if served > 0 || p.lowered.IsZero() { // else the origin refuses at every rate, which says nothing of its limit
		p.resume, p.step = next, now/rise
	}
	p.limiter.SetLimit(next)
	p.lowered = time.Now()
	p.bounded.Store(true)
}

// Resume ends the slowness of an origin that is not asked any more, so that who waits for a turn
// notices that soon.
func (p *Pace) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = time.Time{}
	if p.limiter.Limit() < p.resume {
		p.limiter.SetLimit(p.resume)
	}
}

// serves reports whether the origin answered a request since the rate was last lowered.
func (p *Pace) serves() bool { return p.served.Load() > 0 }

// refuses reports whether the origin has answered nothing since the rate was last lowered.
func (p *Pace) refuses() bool { return p.LoweredSince(time.Time{}) && !p.serves() }

// LoweredSince reports whether the rate was lowered after an instant.
func (p *Pace) LoweredSince(t time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lowered.After(t)
}

// Hold sends no request for a while from now on. It returns how much longer that is than what was
// held already, and holds nothing and reports false where that is more than most.
func (p *Pace) Hold(wait, most time.Duration) (more time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	more = max(0, wait-max(0, p.until.Sub(now)))
	switch {
	case more > most:
		return 0, false
	case more > 0:
		p.until = now.Add(wait)
		p.bounded.Store(true)
	}
	return more, true
}

// held is for how much longer no request is sent.
func (p *Pace) held() time.Duration {
	if !p.bounded.Load() {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, time.Until(p.until))
}

// rest waits for as long as requests are held back. The error is ctx's.
func (p *Pace) rest(ctx context.Context) error {
	for {
		left := p.held()
		if left <= 0 {
			return ctx.Err()
		}
		if wait.Sleep(ctx, left) != nil {
			return ctx.Err()
		}
	}
}
