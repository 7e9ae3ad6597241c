package windows

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/vantage"
	"mirror/internal/watch"
)

// Joint is a watch from this machine and from many places.
type Joint struct {
	*watch.Watch
	Session *Session // nil for from here alone
	Began   time.Time
	// Barrier is how many places must have seen an origin live, this machine among them. Below 2 it is this
	// machine alone. Where fewer places watch, all of them must.
	Barrier int
}

// Await waits until as many places as the barrier needs have seen each named origin live, or ctx ends, and
// returns those of which that is not so.
func (j *Joint) Await(ctx context.Context, names []string) (late []string) {
	if j.Session == nil || j.Barrier < 2 {
		return j.Watch.Await(ctx, names)
	}
	defer j.Watch.Hurry(names)()
	defer j.Session.Hurry(names)()
	return j.await(ctx, names, func(p watch.Progress) bool {
		live, watching := j.Session.Live(p.Name)
		if p.Live {
			live++
		}
		return live >= min(j.Barrier, watching+1)
	})
}

// Settle waits until the named origins have settled at all places, or ctx ends, and returns those that have not.
func (j *Joint) Settle(ctx context.Context, names []string) (late []string) {
	if j.Session == nil {
		return j.Watch.Settle(ctx, names)
	}
	defer j.Session.Hurry(names)() // tells the agents that all is committed
	j.Watch.Settle(ctx, names)
	return j.await(ctx, names, func(p watch.Progress) bool { return p.Settled && j.Session.Settled(p.Name) })
}

// await waits until something is true of all named origins. It does not wait for one that fails for good.
func (j *Joint) await(ctx context.Context, names []string, is func(p watch.Progress) bool) (late []string) {
	for {
		here, there := j.Watch.Changed(), j.Session.Changed()
		late = nil
		waiting := false
		for _, p := range j.Watch.Progress() {
			if slices.Contains(names, p.Name) && !is(p) {
				late = append(late, p.Name)
				waiting = waiting || !p.Hopeless
			}
		}
		if !waiting {
			return late
		}
		select {
		case <-ctx.Done():
			return late
		case <-here:
		case <-there:
		}
	}
}

// Stop ends the watch everywhere and returns the window. Call it once.
func (j *Joint) Stop(ctx context.Context) diff.Window {
	if j.Session == nil {
		j.Watch.Stop()
		return j.Watch.Window()
	}
	places := j.Session.Finish(ctx, j.Began)
	j.Session.Close()
	j.Watch.Stop()
	return j.Watch.Window().JoinPlaces(j.Began, vantage.Here, places)
}

// Notes tells of places whose part is missing in a window.
func Notes(w diff.Window) (notes []string) {
	for _, p := range w.Places {
		if p.Missing != "" {
			notes = append(notes, fmt.Sprintf("the window has no part of %s: %s", p.Place, p.Missing))
		}
	}
	return notes
}
