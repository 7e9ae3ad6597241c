package upstream

import (
	"sync"
	"sync/atomic"
	"time"

	"mirror/diff"
)

// Pauses between two probes of an origin whose circuit is open.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// tolerated is how many requests in a row may fail for the network's sake before the circuit opens. Wrong
// bytes open it at once.
const tolerated = 3

// breaker is the circuit of one origin. While it is open, visitors' requests go to the others as long as
// there are any; a probe for the page that failed closes it again.
type breaker struct {
	open atomic.Bool

	mu    sync.Mutex // guards what follows
	fails int        // in a row
	last  diff.Difference
	pause time.Duration
	until time.Time // the next probe
}

// isOpen reports whether the circuit is open.
func (b *breaker) isOpen() bool { return b.open.Load() }

// failed counts a request that gave no verified body.
func (b *breaker) failed(now time.Time, d diff.Difference) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails++
	if b.open.Load() || d.Kind == diff.Unreachable && b.fails < tolerated {
		return
	}
	b.last, b.pause, b.until = d, firstPause, now.Add(firstPause)
	b.open.Store(true)
}

// succeeded counts a verified body: of an origin whose circuit is closed, failures are then no longer in
// a row. An open one is closed by a probe alone, which asks for the page that failed.
func (b *breaker) succeeded() {
	if b.open.Load() {
		return
	}
	b.mu.Lock()
	b.fails = 0
	b.mu.Unlock()
}

// due returns what failed, where the circuit is open and it is time for a probe.
func (b *breaker) due(now time.Time) (diff.Difference, bool) {
	if !b.open.Load() {
		return diff.Difference{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last, !now.Before(b.until)
}

// probed ends a probe.
func (b *breaker) probed(now time.Time, d diff.Difference, right bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if right {
		b.fails, b.pause = 0, 0
		b.open.Store(false)
		return
	}
	b.last = d
	b.pause = min(2*b.pause, lastPause)
	b.until = now.Add(b.pause)
}

// reason returns why the circuit is open.
func (b *breaker) reason() diff.Difference {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}
