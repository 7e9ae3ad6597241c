package edge

import (
	"context"
	"iter"
	"net/http"
	"slices"
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

	site     http.Handler
	storage  storage
	requests atomic.Int64
	down     atomic.Bool

	mu        sync.RWMutex // guards what follows
	overrides map[string]http.Handler
	fault     http.Handler // nil for none
}

// storage is what lies behind an origin's caches: a deployer or objects.
type storage interface {
	edge() *front
	settle(context.Context) error
	refresh() // the caches are others now
	editions() iter.Seq2[string, []edition]
}

// NewOrigin returns an origin that serves a site from a storage. It has no URL yet.
func NewOrigin(name, kind string, s storage, site http.Handler) *Origin {
	return &Origin{Name: name, Kind: kind, site: site, storage: s, overrides: map[string]http.Handler{}}
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

// SetFault has every request of the origin meet a fault; nil ends that.
func (o *Origin) SetFault(f Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault = nil
	if f != nil {
		o.fault = f(http.HandlerFunc(o.serve))
	}
}

// SetLag sets how long what is stored from now on takes to be served: lag, and up to
// jitter more.
func (o *Origin) SetLag(lag, jitter time.Duration) {
	o.storage.edge().change(func(p *pace, j *time.Duration) { p.delay, *j = lag, jitter })
}

// SetTrickle has the files of what is deployed from now on turn to it one after another,
// the first when the lag is over and each of the others that changed perFile later; 0
// turns all at once. order compares two paths; nil is the order of their bytes. The
// objects of a bucket, where each write is a deployment, turn in the order of the writes.
func (o *Origin) SetTrickle(perFile time.Duration, order func(a, b string) int) {
	o.storage.edge().change(func(p *pace, _ *time.Duration) { p.perFile, p.order = perFile, order })
}

// SetEdges puts caches in front of the origin in place of those that are there. They are
// filled with what the origin shows now. What the lab's Edit changes is seen at all caches
// at once.
func (o *Origin) SetEdges(e Edges) {
	o.storage.edge().set(e)
	o.storage.refresh()
}

// SetFlap breaks the origin, or mends it: of two caches one keeps for ever what is shown
// now, so that all that is deployed flaps between the new and the old.
func (o *Origin) SetFlap(on bool) {
	if on {
		o.SetEdges(Edges{Stale: []time.Duration{0, Never}})
		return
	}
	o.SetEdges(Edges{})
}

// Settle waits until everything that was stored before is served, by every cache that is
// not stuck.
func (o *Origin) Settle(ctx context.Context) error { return o.storage.settle(ctx) }

// Turned is the truth about what visitors could see change until now: every turn of every
// cache, of the files at these paths, or of all. A file whose headers alone changed has not
// turned. Overrides and faults are no turns.
func (o *Origin) Turned(paths ...string) Turns {
	now := time.Now()
	return o.storage.edge().turns(func(yield func(string, []edition) bool) {
		for path, editions := range o.storage.editions() {
			if (len(paths) == 0 || slices.Contains(paths, path)) && !yield(path, editions) {
				return
			}
		}
	}, now)
}

// ServeHTTP answers a visitor.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.requests.Add(1)
	if o.down.Load() {
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	o.mu.RLock()
	h := o.fault
	if h == nil {
		h = o.handler(r.URL.Path)
	}
	o.mu.RUnlock()
	h.ServeHTTP(w, r)
}

// serve answers without a fault.
func (o *Origin) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.RLock()
	h := o.handler(r.URL.Path)
	o.mu.RUnlock()
	h.ServeHTTP(w, r)
}

// handler answers a path. The caller must hold mu.
func (o *Origin) handler(path string) http.Handler {
	if h, ok := o.overrides[path]; ok {
		return h
	}
	return o.site
}
