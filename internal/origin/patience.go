package origin

import (
	"context"
	"sync/atomic"
	"time"
)

// MinBodyRate is the slowest that an origin may send a body, in bytes a second.
const MinBodyRate = 128 << 10

// patience ends an answer that takes longer than its timeout and the time that the bytes
// received so far take at slowest: a large body may be slow, and a trickle ends in time.
type patience struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	began   time.Time
	timeout time.Duration
	got     atomic.Int64 // bytes of the body
}

// soonest is how soon patience looks again at an answer that is just about fast enough.
const soonest = 50 * time.Millisecond

func patiently(ctx context.Context, timeout time.Duration) (context.Context, *patience) {
	p := &patience{began: time.Now(), timeout: timeout}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.timer = time.AfterFunc(timeout, p.look)
	return p.ctx, p
}

func (p *patience) look() {
	due := p.timeout + time.Duration(float64(p.got.Load())/MinBodyRate*float64(time.Second))
	left := due - time.Since(p.began)
	if left <= 0 {
		p.cancel(TimedOut)
		return
	}
	again := time.AfterFunc(max(left, soonest), p.look)
	context.AfterFunc(p.ctx, func() { again.Stop() })
}

func (p *patience) end() {
	p.timer.Stop()
	p.cancel(nil)
}
