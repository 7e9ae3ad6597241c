// Package watch looks at live origins again and again while a change goes live, and says
// when each was seen to have it: internal/origin asks, diff bounds the window, and this
// package spends the requests where they narrow the bounds.
package watch

import (
	"context"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// Options says what to watch for.
type Options struct {
	Began   time.Time // nothing new can have been visible before
	Changes []diff.Change
	// Own lists, by origin, the paths that change there; nil where all do at all origins. The
	// others are neither asked for nor waited for at that origin.
	Own map[string][]string
	// Earlier are bytes, by path, that are older than the changes' old side and count as old.
	Earlier map[string][]site.Digest
	// Release and BeaconPath tell which claim of a beacon means that an origin has turned;
	// BeaconPath is "" where there is none.
	Release    site.ID
	BeaconPath string
	Manifest   site.Manifest // of Release, nil where nobody knows it
	Atomic     []string      // origins that declare that their pages turn all at once
	// Patience is how long Baseline waits for answers, at most and by default baselinePatience.
	Patience time.Duration
	// Seen are answers from before the watch. Those from before Began say what the origins
	// served when it began.
	Seen []Seen
	// Claimed is which release each origin's beacon claimed before Began.
	Claimed map[string]site.ID
	// Newer looks up a release that a beacon claims: its manifest, and whether it is newer
	// than Release. Its bytes then count as new. May be nil.
	Newer func(id site.ID) (site.Manifest, bool)
	// See, if set, hears of every answer, from several goroutines at once.
	See func(origin string, o site.Observation, sight diff.Sight)
}

// Seen is what one origin answered.
type Seen struct {
	Origin      string
	Observation site.Observation
}

// The pace of a watch.
const (
	// Confirm is how many new answers settle a page; those after the first are asked for
	// on connections of their own.
	Confirm = 2
	// unlimited is how many requests a second an origin gets that has no limit of its own.
	unlimited = 500
	// calm is how often the beacon is asked for while no barrier waits.
	calm = time.Second
	// quick is how often what a barrier waits for is asked for at most, and quickShare the
	// part of the rate that this may take.
	quick      = 10 * time.Millisecond
	quickShare = 4
	// freshEach has every so manieth request go on a connection of its own, so that one
	// warm edge cannot stand for all.
	freshEach = 8
	// pastEach has every so manieth request to an origin behind caches go past them.
	pastEach = 4
)

// Watch is a watch that goes on until Stop.
type Watch struct {
	options Options
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu      sync.Mutex
	window  *diff.Watch
	behind  *diff.Watch // what is seen past the caches
	names   []string
	own     map[string][]int   // indexes of the changes that touch each origin
	lead    map[string]int     // the first of them that is not new there already, -1 for none
	claims  map[string]site.ID // what each origin's beacon says
	awaited map[string]int     // how many wait for an origin to turn
	heard   map[string]bool    // origins that have answered anything
	looked  map[site.ID]bool   // releases that Newer was asked for
	passed  map[site.ID]bool   // those of them that are newer
	row     map[string]int     // answers of each origin since its last old one
	changed chan struct{}      // closed and made anew whenever something was learnt
}

// Start begins to watch the origins. It ends with Stop, or with ctx.
func Start(ctx context.Context, origins []origin.Endpoint, o Options) *Watch {
	var names []string
	for _, at := range origins {
		names = append(names, at.Name)
	}
	// What is the same before and after, as where only headers change, cannot be watched.
	o.Changes = slices.DeleteFunc(slices.Clone(o.Changes), func(c diff.Change) bool { return c.Old == c.New })
	w := &Watch{
		options: o, window: diff.NewWatch(o.Began, o.Changes, names, Confirm), names: names,
		behind: diff.NewWatch(o.Began, o.Changes, names, 1),
		claims: map[string]site.ID{}, heard: map[string]bool{}, awaited: map[string]int{}, looked: map[site.ID]bool{o.Release: true},
		passed: map[site.ID]bool{},
		row:    map[string]int{}, changed: make(chan struct{}),
	}
	w.divide()
	for _, name := range o.Atomic {
		w.window.Atomic(name)
	}
	for path, digests := range o.Earlier {
		for _, d := range digests {
			w.window.Precede(path, d)
		}
	}
	for _, s := range o.Seen {
		w.window.Add(s.Origin, s.Observation)
	}
	w.choose()
	ctx, w.stop = context.WithCancel(ctx)
	for _, at := range origins {
		if at.CDN {
			w.window.MayFlap(at.Name)
		}
		w.done.Go(func() { w.follow(ctx, at) })
	}
	return w
}

// divide tells which changes touch which origin.
func (w *Watch) divide() {
	w.own = map[string][]int{}
	for _, name := range w.names {
		only := w.options.Own[name]
		if w.options.Own != nil {
			w.window.Only(name, only)
			w.behind.Only(name, only)
		}
		for i, c := range w.options.Changes {
			if w.options.Own == nil || slices.Contains(only, c.Path) {
				w.own[name] = append(w.own[name], i)
			}
		}
	}
}

// choose picks the page of each origin that a barrier asks for.
func (w *Watch) choose() {
	w.lead = map[string]int{}
	for _, name := range w.names {
		w.lead[name] = -1
		for _, i := range w.own[name] {
			if !w.window.Still(name, w.options.Changes[i].Path) {
				w.lead[name] = i
				break
			}
		}
	}
}

// Stop ends the watch and waits until the last request is done.
func (w *Watch) Stop() {
	w.stop()
	w.done.Wait()
}

// Window returns what the answers so far prove.
func (w *Watch) Window() diff.Window {
	w.mu.Lock()
	defer w.mu.Unlock()
	win := w.window.Window()
	w.reopen(&win)
	for i, o := range w.behind.Window().Origins {
		if o.Polls > 0 {
			win.Origins[i].Behind = &o.AllNew
		}
	}
	return win
}

func (w *Watch) settled(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.steady(name)
}

// confirmed reports whether every page of an origin is, by itself.
func (w *Watch) confirmed(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.window.Settled(name)
}

// Await waits until every named origin has been seen to turn, or ctx ends, and returns
// those that have not.
func (w *Watch) Await(ctx context.Context, names []string) (late []string) {
	w.hurry(names, 1)
	defer w.hurry(names, -1)
	return w.await(ctx, names, w.turned)
}

// Settle waits until every page of the named origins is confirmed and none shows old bytes
// any more, or ctx ends, and returns the origins of which that is not so.
func (w *Watch) Settle(ctx context.Context, names []string) (late []string) {
	return w.await(ctx, names, w.steady)
}

func (w *Watch) await(ctx context.Context, names []string, there func(name string) bool) []string {
	for {
		w.mu.Lock()
		var late []string
		for _, name := range names {
			if !there(name) {
				late = append(late, name)
			}
		}
		changed := w.changed
		w.mu.Unlock()
		if len(late) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return late
		case <-changed:
		}
	}
}

// hurry begins or ends the waiting for origins.
func (w *Watch) hurry(names []string, by int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		w.awaited[name] += by
	}
}

// hurried reports whether somebody waits for an origin to turn.
func (w *Watch) hurried(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.awaited[name] > 0 && !w.turned(name)
}

// waitsForDeployment reports whether an origin's beacon is what its window waits for.
func (w *Watch) waitsForDeployment(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.undeployed(name)
}

// turned reports whether an origin was seen to have the change: its beacon, which goes
// live last, claims it and the page that is asked for as often shows it; or every page does.
func (w *Watch) turned(name string) bool {
	shows := func(i int) bool { return w.window.Page(name, w.options.Changes[i].Path).New }
	own, lead := w.own[name], w.lead[name]
	if w.claims[name] == w.options.Release && (lead < 0 || shows(lead)) {
		return true
	}
	if len(own) == 0 {
		return w.options.BeaconPath == ""
	}
	return !slices.ContainsFunc(own, func(i int) bool { return !shows(i) })
}

// learn takes in an answer, and what it says, and wakes who waits.
func (w *Watch) learn(name string, o, says site.Observation, past bool) {
	w.mu.Lock()
	to := w.window
	if past {
		to = w.behind
	}
	sight := to.Add(name, says)
	if !past {
		w.count(name, says, sight)
	}
	w.heard[name] = w.heard[name] || o.Status != 0
	w.wake()
	w.mu.Unlock()
	if w.options.See != nil {
		w.options.See(name, o, sight)
	}
}

// claim takes in what a beacon says, and what is known of a release newer than ours.
func (w *Watch) claim(name string, id site.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id == w.options.Release && w.undeployed(name) {
		w.window.Deployed(name, time.Now())
	}
	w.claims[name] = id
	w.wake()
	if id == site.None || w.looked[id] || w.options.Newer == nil {
		return
	}
	w.looked[id] = true
	newer, ok := w.options.Newer(id)
	if !ok {
		return
	}
	w.passed[id] = true
	for _, c := range w.options.Changes {
		f, _ := newer.Find(c.Path) // zero where it has none
		w.window.Supersede(c.Path, f.Digest)
	}
}

// Status is how far one origin has come.
type Status struct {
	Name     string
	Claim    site.ID // what its beacon says
	Heard    bool    // it has answered at least once
	New, All int     // pages that were last seen new, and all that are watched
	Settled  bool
}

// Status tells how far each origin has come.
func (w *Watch) Status() []Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Status
	for _, name := range w.names {
		s := Status{Name: name, Claim: w.claims[name], Heard: w.heard[name], All: len(w.own[name]), Settled: w.steady(name)}
		for _, i := range w.own[name] {
			if w.window.Page(name, w.options.Changes[i].Path).New {
				s.New++
			}
		}
		all = append(all, s)
	}
	return all
}

// wake has the lock.
func (w *Watch) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// follow asks one origin until ctx ends. A request is chosen when its turn in the rate has
// come, so that nothing quick waits behind what was chosen before.
func (w *Watch) follow(ctx context.Context, at origin.Endpoint) {
	at = paced(at)
	at.Waited = true
	client := origin.New(at)
	defer client.Close()
	q := newQueue(w, at.Name, at.Rate, at.CDN)
	gone := &absence{at: at, client: client, release: w.options.Manifest, alive: w.options.alive()}
	var workers sync.WaitGroup
	for range max(at.Concurrency, 1) {
		workers.Go(func() {
			for at.Pace.Wait(ctx) == nil {
				t := q.next()
				w.ask(ctx, client, gone, t)
				if t.wait == 0 && !t.beacon {
					q.landed(t.change)
				}
			}
		})
	}
	workers.Wait()
}

// ask does what the queue said.
func (w *Watch) ask(ctx context.Context, client *origin.Client, gone *absence, t task) {
	at := gone.at
	switch {
	case t.wait > 0:
		timer := time.NewTimer(t.wait)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	case t.beacon:
		w.claim(at.Name, survey.Claim(ctx, client, w.options.BeaconPath).Release)
	default:
		fetch := client.Fetch
		if t.fresh {
			fetch = client.FetchFresh
		}
		path := w.options.Changes[t.change].Path
		o := fetch(ctx, origin.Page{Path: path, URL: at.Style.URLPath(path), Past: t.past})
		says := gone.read(ctx, o)
		if ctx.Err() == nil {
			w.learn(at.Name, o, says, t.past)
		}
	}
}
