package upstream

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// What a request waits for before the next origin is asked too.
const (
	shortestHedge = 10 * time.Millisecond
	longestHedge  = time.Second
	firstHedge    = 250 * time.Millisecond // of an origin of which little is known
)

// enough is how many answers make a figure, and remembered how many are counted.
const (
	enough     = 8
	remembered = 64
)

// latency learns how long an origin takes.
type latency struct {
	p50, p95 atomic.Int64 // nanoseconds, 0 while unknown

	mu  sync.Mutex // guards what follows
	got [remembered]time.Duration
	n   int
}

// add counts an answer.
func (l *latency) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got[l.n%remembered] = d
	l.n++
	if l.n%enough != 0 && l.p50.Load() != 0 {
		return
	}
	sorted := l.got
	known := sorted[:min(l.n, remembered)]
	slices.Sort(known)
	l.p50.Store(int64(known[len(known)/2]))
	l.p95.Store(int64(known[len(known)*95/100]))
}

// atLeast counts an answer that was not waited for any longer, where it makes the origin slower than it
// was known to be.
func (l *latency) atLeast(d time.Duration) {
	if d > l.typical() {
		l.add(d)
	}
}

// typical is the median, 0 while nothing is known.
func (l *latency) typical() time.Duration { return time.Duration(l.p50.Load()) }

// usual is the 95th percentile, 0 while nothing is known.
func (l *latency) usual() time.Duration { return time.Duration(l.p95.Load()) }

// hedge is for how long the origin is waited for before another one is asked too.
func (l *latency) hedge() time.Duration {
	if l.usual() == 0 {
		return firstHedge
	}
	return min(max(l.usual(), shortestHedge), longestHedge)
}
