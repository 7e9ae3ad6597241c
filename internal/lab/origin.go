package lab

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Origin is one live web origin of the lab, and the switches for what can go wrong there:
// between the storage behind it and the visitor.
type Origin struct {
	Name string // git, s3, registry
	Kind string // the type of target that publishes here: git, s3, oci
	URL  string // what visitors ask, ending in a slash

	next     http.Handler
	settle   func(context.Context) error
	requests atomic.Int64
	down     atomic.Bool

	mu          sync.RWMutex
	overrides   map[string]http.Handler
	lag, jitter time.Duration
}

// Requests is how many requests have reached the origin, those included that it cut off.
func (o *Origin) Requests() int64 { return o.requests.Load() }

// Down makes the origin unreachable: it closes every connection without an answer.
func (o *Origin) Down(down bool) { o.down.Store(down) }

// Override answers a URL path (decoded, with its leading slash) by h in place of the site;
// nil ends that.
func (o *Origin) Override(path string, h http.Handler) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if h == nil {
		delete(o.overrides, path)
		return
	}
	o.overrides[path] = h
}

// SetLag sets how long what is stored from now on takes to be served: lag, and up to
// jitter more.
func (o *Origin) SetLag(lag, jitter time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lag, o.jitter = lag, jitter
}

// Settle waits until everything that was stored before is served.
func (o *Origin) Settle(ctx context.Context) error { return o.settle(ctx) }

// ServeHTTP answers a visitor.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.requests.Add(1)
	if o.down.Load() {
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	o.mu.RLock()
	h, ok := o.overrides[r.URL.Path]
	o.mu.RUnlock()
	if !ok {
		h = o.next
	}
	h.ServeHTTP(w, r)
}

// delay draws the time that one change takes to be served.
func (o *Origin) delay() time.Duration {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.jitter <= 0 {
		return o.lag
	}
	return o.lag + rand.N(o.jitter)
}
