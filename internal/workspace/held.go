package workspace

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
)

// HeldRelease is a release that targets hold.
type HeldRelease struct {
	Release   site.ID
	Published time.Time // when it went live last; zero where no target tells
	Files     int
	Targets   []string // that can give all of it
	Live      []string // targets on which it is live now

	Purged   bool      // files of it were purged from a target, which can no longer give it
	PurgedAt time.Time // the last time; zero where no target tells
}

// Held lists the releases that the targets hold, those that went live last first. The error is that of
// the targets that could not be asked; what the others hold is listed.
func (w *Workspace) Held(ctx context.Context) ([]HeldRelease, error) {
	dests, err := w.rollbackTargets(ctx)
	if err != nil {
		return nil, err
	}
	held, failed := heldBy(ctx, dests)
	return held, failed.join()
}

// rollbackTargets opens the targets, of which there has to be one.
func (w *Workspace) rollbackTargets(ctx context.Context) ([]targets.Destination, error) {
	if len(w.Config.Targets) == 0 {
		return nil, usage(errors.New("there is no target that could hold an earlier release"))
	}
	return w.Destinations(ctx)
}

// heldError says why it is not known what a target holds.
type heldError struct {
	target string
	live   bool // what is live there is known
	err    error
}

// Error names the target.
func (e heldError) Error() string { return e.target + ": " + e.err.Error() }

// Unwrap returns why.
func (e heldError) Unwrap() error { return e.err }

// heldErrors are those of several targets.
type heldErrors []heldError

// join is one error of all, nil for none.
func (all heldErrors) join() error {
	var errs []error
	for _, e := range all {
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// heldBy asks the targets. The errors are those of targets that did not tell all.
func heldBy(ctx context.Context, dests []targets.Destination) ([]HeldRelease, heldErrors) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers := make([]heldAnswer, len(dests))
	var asking sync.WaitGroup
	for i, d := range dests {
		asking.Go(func() { answers[i] = askHeld(ctx, d) })
	}
	asking.Wait()
	var sequence []site.Past
	var failed heldErrors
	for i, a := range answers {
		sequence = diff.Sequence(sequence, a.past)
		if a.err != nil {
			failed = append(failed, heldError{dests[i].Name, a.known, a.err})
		}
	}
	var all []HeldRelease
	for _, p := range sequence {
		if p.Release == site.None {
			continue
		}
		h := HeldRelease{Release: p.Release, Published: p.Published, Files: len(p.Manifest)}
		for i, a := range answers {
			at, purged := a.purged[p.Release]
			switch {
			case purged:
				h.notePurge(at)
			case slices.ContainsFunc(a.past, func(q site.Past) bool { return q.Release == p.Release }):
				h.Targets = append(h.Targets, dests[i].Name)
			}
			if a.live == p.Release {
				h.Live = append(h.Live, dests[i].Name)
			}
		}
		all = append(all, h)
	}
	return append(all, onlyPurged(all, answers)...), failed
}

// notePurge adds that a target has lost files of the release by a purge.
func (h *HeldRelease) notePurge(at time.Time) {
	h.Purged = true
	if at.After(h.PurgedAt) {
		h.PurgedAt = at
	}
}

// onlyPurged are the releases of which targets remember only that they were purged, the latest first.
func onlyPurged(listed []HeldRelease, answers []heldAnswer) []HeldRelease {
	rest := targets.Purged{}
	for _, a := range answers {
		for id, at := range a.purged {
			if at.After(rest[id]) {
				rest[id] = at
			}
		}
	}
	var all []HeldRelease
	for _, id := range rest.Latest() {
		if !slices.ContainsFunc(listed, func(h HeldRelease) bool { return h.Release == id }) {
			all = append(all, HeldRelease{Release: id, Purged: true, PurgedAt: rest[id]})
		}
	}
	return all
}

// heldAnswer is what one target says.
type heldAnswer struct {
	known  bool // what is live
	live   site.ID
	past   []site.Past
	purged targets.Purged // those that cannot be restored
	err    error
}

func askHeld(ctx context.Context, d targets.Destination) (a heldAnswer) {
	live, err := d.Live(ctx)
	if err != nil {
		return heldAnswer{err: err}
	}
	a.live, a.known = live.Release, true
	_, restores := targets.As[targets.Restorer](ctx, d.Target)
	if h, ok := d.Target.(targets.Historian); ok && restores {
		a.past, a.err = h.Past(ctx, pastLimit, nil)
		a.past = inOrder(a.past, a.live)
	}
	if p, ok := d.Target.(targets.PurgedLister); ok && len(a.past) > 0 {
		var err error
		a.purged, err = p.Purged(ctx, a.past)
		a.err = errors.Join(a.err, err)
	}
	return a
}

// inOrder gives the releases of a target times that keep its order. What a target lists before the live release is under
// way: its time is that of a commit that has not ended, and not one at which it was live.
func inOrder(past []site.Past, live site.ID) []site.Past {
	at := slices.IndexFunc(past, func(p site.Past) bool { return p.Release == live })
	if at <= 0 {
		return past
	}
	all, underWay := slices.Clone(past[at:]), past[:at]
	for _, p := range underWay {
		before := slices.IndexFunc(all, func(q site.Past) bool { return q.Release == p.Release })
		if before < 0 {
			p.Published = time.Time{}
			all = append(all, p)
		} else if newest := all[before-1].Published; all[before].Published.After(newest) {
			all[before].Published = newest.Add(-1)
		}
	}
	return all
}
