package watch

import (
	"sync"
	"time"

	"mirror/internal/origin"
	"mirror/site"
)

// task is what to ask an origin next.
type task struct {
	wait   time.Duration // nothing, for so long
	beacon bool
	change int // index of the page
	fresh  bool
	bypass bool // the caches
}

// queue decides what to ask one origin next. What a barrier waits for, the beacon and the
// first page, comes round quickly while it waits; the rest of the rate goes to the pages that are not
// settled, in turn. That keeps every gap between two questions for the same page as short
// as the rate allows, and the gaps are what the bounds are made of.
type queue struct {
	watch *Watch
	name  string
	pace  *origin.Pace

	mu     sync.Mutex
	round  time.Time // of the last quick round
	owed   []task    // what is left of it
	cursor int       // the origin's own page that was asked for last
	number int       // of requests for pages
	probed time.Time // when the origin was last requested while it was down
	// flying are the pages that an answer is awaited for. None is asked for twice at once:
	// two answers that overlap could hide that the page turned back.
	flying map[int]bool
	past   *pastCaches // nil where no caches stand in front of the origin
	left   func() int  // how many requests can still be sent past the caches
}

func newQueue(w *Watch, name string, pace *origin.Pace) *queue {
	return &queue{watch: w, name: name, pace: pace, flying: map[int]bool{}, past: w.past[name]}
}

// pause is that between two quick rounds, at the rate that the origin allows now.
func (q *queue) pause() time.Duration {
	share := quickShare * float64(len(q.quick(true))) / q.pace.Rate()
	return max(quick, time.Duration(share*float64(time.Second)))
}

func (q *queue) nextTask() task {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if t, ok := q.covered(now); ok {
		return t
	}
	if rest := q.rest(now); rest > 0 {
		return task{wait: rest}
	}
	quickly := q.pause()
	pause, hurried := calm, q.watch.hurried(q.name)
	if hurried || q.watch.waitsForDeployment(q.name) {
		pause = quickly
	}
	if len(q.owed) == 0 && now.Sub(q.round) >= pause {
		q.round, q.owed = now, q.quick(hurried)
	}
	if len(q.owed) > 0 {
		t := q.owed[0]
		q.owed = q.owed[1:]
		if t.beacon {
			return t
		}
		if !q.flying[t.change] {
			return q.page(t.change)
		}
	}
	if q.past != nil && q.left() > 0 {
		if page, ok := q.past.next(now, false, q.oldBehind); ok {
			return pastTask(page)
		}
	}
	if q.unsettled() {
		return q.page(q.watch.own[q.name][q.cursor])
	}
	return task{wait: min(quickly, max(time.Millisecond, pause-now.Sub(q.round)))}
}

// rest is how long not to request an origin that is down; zero lets one request through.
func (q *queue) rest(now time.Time) time.Duration {
	pause := pauseAfter(q.watch.failedInRow(q.name))
	if rest := pause - now.Sub(q.probed); rest > 0 {
		return rest
	}
	q.probed = now
	return 0
}

// leastCovered is how often it is looked at least whether an origin may be asked as visitors ask it.
const leastCovered = 20 * time.Millisecond

// covered returns what to ask an origin past its caches while it may not be asked as visitors ask it. When no such request is
// left it may, except before the commits of one that has none at all.
func (q *queue) covered(now time.Time) (t task, ok bool) {
	if q.past == nil || !q.watch.closed(q.name) {
		return t, false
	}
	if q.left() > 0 {
		if page, ok := q.past.next(now, true, q.oldBehind); ok {
			return pastTask(page), true
		}
	} else if !q.watch.exposed[q.name] {
		q.watch.giveIn(q.name)
		return t, false
	}
	return task{wait: leastCovered}, true
}

// pastTask is a request past the caches.
func pastTask(page int) task {
	if page == theBeacon {
		return task{beacon: true, bypass: true}
	}
	return task{change: page, fresh: true, bypass: true}
}

// backOff takes in an answer from behind the caches.
func (q *queue) backOff(o site.Observation) {
	if !refuses(o) {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.past.refused(time.Now())
}

// landed says that the answer for a page has come.
func (q *queue) landed(i int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.flying, i)
}

// quick is one round of what comes round quickly while a barrier waits; else it is the
// beacon alone.
func (q *queue) quick(hurried bool) []task {
	var round []task
	if q.watch.options.BeaconPath != "" {
		round = append(round, task{beacon: true})
	}
	if lead := q.watch.lead[q.name]; hurried && lead >= 0 {
		round = append(round, task{change: lead})
	}
	return round
}

// oldBehind reports whether a page was not seen new yet behind the caches.
func (q *queue) oldBehind(i int) bool {
	q.watch.mu.Lock()
	defer q.watch.mu.Unlock()
	return !q.watch.behind.Page(q.name, q.watch.options.Changes[i].Path).New
}

// page asks for a page: on a connection of its own to confirm, and every so often.
func (q *queue) page(i int) task {
	q.number++
	q.flying[i] = true
	return task{change: i, fresh: q.confirmed(i) > 0 || q.number%freshEach == 1}
}

func (q *queue) confirmed(i int) int {
	q.watch.mu.Lock()
	defer q.watch.mu.Unlock()
	return q.watch.window.Page(q.name, q.watch.options.Changes[i].Path).Confirmed
}

// unsettled moves the cursor to the next page that is not settled. Where all are, and the
// origin is not steady, any page tells.
func (q *queue) unsettled() bool {
	if q.watch.settled(q.name) {
		return false
	}
	all := q.watch.confirmed(q.name)
	return q.forward(func(i int) bool { return all || q.confirmed(i) < Confirm })
}

func (q *queue) forward(wanted func(i int) bool) bool {
	own := q.watch.own[q.name]
	for n := 1; n <= len(own); n++ {
		at := (q.cursor + n) % len(own)
		if i := own[at]; !q.flying[i] && wanted(i) {
			q.cursor = at
			return true
		}
	}
	return false
}
