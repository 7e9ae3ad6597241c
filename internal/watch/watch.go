// Package watch looks at live origins again and again while a change goes live, and says
// when each was seen to have it: internal/survey asks, diff bounds the window, and this
// package spends the requests where they narrow the bounds.
package watch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/internal/wait"
	"mirror/site"
)

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
		claims: map[string]site.ID{}, heard: map[string]bool{}, trouble: map[string]trouble{}, failed: map[string]int{}, awaited: map[string]int{}, looked: map[site.ID]bool{o.Release: true},
		passed: map[site.ID]bool{}, past: map[string]*pastCaches{}, gates: map[string]*gate{}, exposed: map[string]bool{},
		row: map[string]int{}, changed: make(chan struct{}),
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
		if at.Front {
			w.window.Front(at.Name)
		}
		if at.CDN {
			w.window.MayFlap(at.Name)
			w.sample(at.Name)
			w.shut(at)
			w.exposed[at.Name] = !at.Cache.Private()
		}
	}
	for _, at := range origins {
		w.done.Go(func() { w.follow(ctx, at) })
	}
	return w
}

// Stop ends the watch and waits until the last request is done.
func (w *Watch) Stop() {
	w.stop()
	w.done.Wait()
}

// Notes tells people what slowed the watch: an origin that limits requests.
func (w *Watch) Notes() (notes []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, client := range w.clients {
		if note := survey.LimitNote(client, w.options.RateKey); note != "" {
			notes = append(notes, note)
		}
	}
	slices.Sort(notes)
	return notes
}

// Await waits until every named origin has been seen to turn, or ctx ends, and returns
// those that have not. It does not wait for an origin that fails for good, see Progress.Hopeless.
func (w *Watch) Await(ctx context.Context, names []string) (late []string) {
	w.hurry(names, 1)
	defer w.hurry(names, -1)
	return w.await(ctx, names, w.turned)
}

// Settle waits until every page of the named origins is confirmed and none shows old bytes
// any more, or ctx ends, and returns the origins of which that is not so. It does not wait for an
// origin that fails for good.
func (w *Watch) Settle(ctx context.Context, names []string) (late []string) {
	w.uncover(names) // all commits are done
	return w.await(ctx, names, w.steady)
}

func (w *Watch) await(ctx context.Context, names []string, there func(name string) bool) []string {
	for {
		w.mu.Lock()
		var late []string
		waiting := false
		for _, name := range names {
			if !there(name) {
				late = append(late, name)
				waiting = waiting || !w.hopeless(name)
			}
		}
		changed := w.changed
		w.mu.Unlock()
		if !waiting {
			return late
		}
		select {
		case <-ctx.Done():
			return late
		case <-changed:
		}
	}
}

// follow asks one origin until ctx ends. A request is chosen when its turn in the rate has
// come, so that nothing quick waits behind what was chosen before.
func (w *Watch) follow(ctx context.Context, at origin.Endpoint) {
	at = paced(at)
	at.Waited = true
	client := origin.New(at)
	defer client.Close()
	w.mu.Lock()
	w.clients = append(w.clients, client)
	w.mu.Unlock()
	q := newQueue(w, at.Name, at.Pace)
	q.left = client.PastCaches
	gone := survey.NewAbsenceProbe(client, w.options.Manifest, w.options.alive())
	var workers sync.WaitGroup
	for range max(at.Concurrency, 1) {
		workers.Go(func() {
			for at.Pace.Wait(ctx) == nil {
				t := q.nextTask()
				says := w.ask(ctx, client, gone, t)
				switch {
				case t.wait > 0 || t.beacon && !t.bypass:
				case t.bypass:
					q.backOff(says)
				default:
					q.landed(t.change)
				}
			}
		})
	}
	workers.Wait()
}

// ask does what the queue said. It returns what an answer says of a page.
func (w *Watch) ask(ctx context.Context, client *origin.Client, gone *survey.AbsenceProbe, t task) (says site.Observation) {
	at := client.Endpoint()
	switch {
	case t.wait > 0:
		_ = wait.Sleep(ctx, t.wait) // the caller sees that ctx has ended
	case t.beacon && t.bypass:
		id := survey.ClaimPastCaches(ctx, client, w.options.BeaconPath).Release
		if ctx.Err() == nil {
			w.claimPast(at.Name, id)
		}
	case t.beacon:
		asked := time.Now()
		beacon, err := survey.ReadClaim(ctx, client, w.options.BeaconPath)
		w.answered(at.Name, !isDown(statusOf(err), err))
		w.claim(at.Name, beacon.Release)
		w.tellCached(at.Name, asked, beacon.Release)
	default:
		fetch := client.Fetch
		if t.fresh {
			fetch = client.FetchFresh
		}
		path := w.options.Changes[t.change].Path
		o := fetch(ctx, origin.Page{Path: path, URL: at.Style.URLPath(path), BypassCache: t.bypass})
		says = gone.Read(ctx, o)
		if ctx.Err() == nil && !errors.Is(o.Err, origin.ErrNoUnique) {
			w.answered(at.Name, !isDown(o.Status, o.Err))
			w.learn(at.Name, o, says, t.bypass)
		}
	}
	return says
}
