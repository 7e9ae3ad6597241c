package edge

import (
	"hash/maphash"
	"iter"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Never is how late a cache is that is stuck: it keeps what it has.
const Never time.Duration = math.MaxInt64

// Behind stands in place of a cache's number for the origin behind the caches.
const Behind = -1

// Edges are the caches in front of an origin, one of which answers each request and says
// so in the header X-Served-By. The zero value is none: the origin answers by itself, as a
// single cache that is never late.
type Edges struct {
	Stale  []time.Duration // one for each cache: how much later than the origin it turns to a release
	Sticky bool            // a connection stays with one cache; else each request may meet any
	Busted bool            // a request with a query passes the caches and meets the origin
}

// caches are Edges in use. Each was filled, when it came, with what the origin showed then.
type caches struct {
	Edges
	seed maphash.Seed
	came time.Time
}

// route picks who answers a request.
func (c *caches) route(r *http.Request) int {
	switch n := len(c.Stale); {
	case c.Busted && r.URL.RawQuery != "":
		return Behind
	case n == 1:
		return 0
	case c.Sticky:
		return int(maphash.String(c.seed, r.RemoteAddr) % uint64(n))
	default:
		return rand.IntN(n)
	}
}

// all lists who answers requests.
func (c *caches) all() []int {
	var edges []int
	if c.Busted {
		edges = append(edges, Behind)
	}
	for edge := range c.Stale {
		edges = append(edges, edge)
	}
	return edges
}

// turn is when a cache turns to what is due, false for one that is stuck.
func (c *caches) turn(edge int, d due) (time.Time, bool) {
	if edge == Behind || d.everywhere || !d.from.After(c.came) {
		return d.from, true
	}
	if c.Stale[edge] == Never {
		return time.Time{}, false
	}
	return d.from.Add(c.Stale[edge]), true
}

// due says when something stored is to be seen. Nothing happens at that time: who answers
// a request looks at the clock. What is seen is the last stored of all whose time has come.
type due struct {
	from       time.Time // at the origin behind the caches
	everywhere bool      // at every cache at once
}

func (d due) plus(late time.Duration) due {
	d.from = d.from.Add(late)
	return d
}

// vantage is where and when one request looks.
type vantage struct {
	*caches
	edge int
	now  time.Time
}

// sees says whether the time of what is due has come.
func (v vantage) sees(d due) bool {
	at, ok := v.turn(v.edge, d)
	return ok && !at.After(v.now)
}

// pace is how fast what is stored is shown.
type pace struct {
	delay   time.Duration
	perFile time.Duration // from one changed file to the next
	order   func(a, b string) int
}

// sorted are the paths in the order in which they are shown.
func (p pace) sorted(changed iter.Seq[string]) []string {
	paths := slices.Sorted(changed)
	if p.order != nil {
		slices.SortStableFunc(paths, p.order)
	}
	return paths
}

// front is what lies between a storage and its visitors: the caches that requests meet,
// those that they met before, and the pace at which a write reaches them.
type front struct {
	current atomic.Pointer[caches]

	mu     sync.Mutex // guards what follows
	epochs []epoch    // the current one last
	pace   pace
	jitter time.Duration
}

// epoch is the time of some caches, from when they came.
type epoch struct {
	*caches
	met time.Time // when requests were sure to meet them
}

func newFront() *front {
	f := &front{}
	f.set(Edges{})
	return f
}

// set has new caches take the place of those that are there.
func (f *front) set(e Edges) {
	e.Stale = append([]time.Duration(nil), e.Stale...)
	if len(e.Stale) == 0 {
		e.Stale = []time.Duration{0}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &caches{e, maphash.MakeSeed(), time.Now()}
	f.current.Store(c)
	f.epochs = append(f.epochs, epoch{c, time.Now()})
}

// change changes the pace of what is written from now on.
func (f *front) change(set func(p *pace, jitter *time.Duration)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set(&f.pace, &f.jitter)
}

// draw is the pace of one write.
func (f *front) draw() pace {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pace
	if f.jitter > 0 {
		p.delay += rand.N(f.jitter)
	}
	return p
}

// meet is where a request looks.
func (f *front) meet(w http.ResponseWriter, r *http.Request) vantage {
	c := f.current.Load()
	v := vantage{c, c.route(r), time.Now()}
	switch {
	case v.edge == Behind:
		w.Header().Set("X-Served-By", "origin")
	case len(c.Stale) > 1:
		w.Header().Set("X-Served-By", "edge-"+strconv.Itoa(v.edge))
	}
	return v
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
