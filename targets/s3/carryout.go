package s3

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"mirror/site"
	"mirror/targets"
)

// carryOut takes the state to committing, does or undoes the change, and brings the
// state to rest. A crash anywhere in between leaves a state that names the change.
func (t *Target) carryOut(ctx context.Context, h held, ch *change, undo bool) error {
	next := &state{
		Version: version, Phase: committing, Revision: newNonce(), From: ch.From, To: ch.To, Change: ch.path,
		Release: h.was(), Beacons: beaconsOf(h, ch), Records: h.records(),
		Undo: undo, Owner: t.owner, Holder: newNonce(),
	}
	h, err := t.writeState(ctx, h, next)
	if err != nil {
		return err
	}
	todo := steps{}
	if undo {
		todo = undoSteps(ch)
	} else {
		todo = t.doSteps(ch)
	}
	r := &run{bucket: t.bucket, steps: todo, gone: map[string]bool{}, made: map[string]copied{}}
	h, err = t.underLease(ctx, h, r.converge)
	if err != nil {
		t.release(ctx, h)
		return err
	}
	if undo {
		return t.settleUndone(ctx, h, ch)
	}
	return t.settleDone(ctx, h, ch, r.made)
}

// was is the release that was live before, also while committing.
func (h held) was() site.ID {
	if h.none() {
		return site.None
	}
	return h.Release
}

func beaconsOf(h held, ch *change) []string {
	next := ""
	if ch.Beacon != nil {
		next = ch.Beacon.Path
	}
	all := h.beacons(next)
	slices.Sort(all)
	return slices.Compact(all)
}

// settleDone records what the listing shows now, and says that the release is live.
func (t *Target) settleDone(ctx context.Context, h held, ch *change, made map[string]copied) error {
	recorded, err := t.recordLive(ctx, h, ch, made)
	if err != nil {
		return err
	}
	next := &state{
		Version: version, Phase: live, Revision: newNonce(), Release: ch.To, Records: recorded,
		From: ch.From, To: ch.To, Change: ch.path,
	}
	if ch.Beacon != nil {
		next.Beacons = []string{ch.Beacon.Path}
	}
	_, err = t.writeState(ctx, h, next)
	return err
}

// settleUndone puts the state document back as it was.
func (t *Target) settleUndone(ctx context.Context, h held, ch *change) error {
	if len(ch.Before) == 0 {
		return t.removeOne(ctx, statePath)
	}
	_, err := t.writeRaw(ctx, h, ch.Before)
	return err
}

// Rollback undoes a commit, whatever became of it: the keys that it touched get their
// former bytes and headers, also where those were not ours.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	h, inv, err := t.look(ctx)
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	at := h.live(inv)
	switch {
	case t.isOf(h, s):
		if h.Phase == committing && !t.mayTake(h) {
			return conflict(h)
		}
	case at.Revision == s.From.Revision:
		return nil // it never began, or was undone
	default:
		return t.judgeOrigin(ctx, h, inv, s)
	}
	ch, err := t.readChange(ctx, h.Change)
	if err == nil {
		err = t.carryOut(ctx, h, ch, true)
	}
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// judgeOrigin is for a swap from a state that was itself half done: undone, the state
// before that one is live.
func (t *Target) judgeOrigin(ctx context.Context, h held, inv inventory, s targets.Swap) error {
	ch, err := t.findChange(ctx, inv, s)
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	if ch == nil || ch.Origin.Revision != h.live(inv).Revision {
		return conflict(h)
	}
	return nil
}

// renewal is how often a commit under way says that it is alive.
const renewal = lease / 4

// underLease runs f while it renews the state's lease, and returns the state as it is
// then. When somebody else has taken over, f is stopped.
func (t *Target) underLease(ctx context.Context, h held, f func(context.Context) error) (held, error) {
	running, stop := context.WithCancelCause(ctx)
	var wait sync.WaitGroup
	done := make(chan struct{})
	wait.Go(func() {
		tick := time.NewTicker(renewal)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-running.Done():
				return
			case <-tick.C:
			}
			renewed := *h.state
			renewed.Beat++
			next, err := t.writeState(running, h, &renewed)
			if err != nil {
				stop(fmt.Errorf("renew the lease: %w", err))
				return
			}
			h = next
		}
	})
	err := f(running)
	close(done)
	wait.Wait()
	if cause := context.Cause(running); cause != nil && ctx.Err() == nil {
		err = cause
	}
	stop(nil)
	return h, err
}

// releaseTimeout bounds the last word of a commit that failed.
const releaseTimeout = 3 * time.Second

// release gives an interrupted commit free for others, so that they need not wait for
// the lease to run out. It may fail: then they wait.
func (t *Target) release(ctx context.Context, h held) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	given := *h.state
	given.Released = true
	if _, err := t.writeState(ctx, h, &given); err != nil {
		t.log.Warn("the interrupted commit keeps others out until its lease ends", "lease", lease, "err", err)
	}
}

// recordLive lists the bucket after a commit and stores what is certain of its objects.
// It returns the paths of all records of use.
func (t *Target) recordLive(ctx context.Context, h held, ch *change, made map[string]copied) ([]string, error) {
	doc, err := t.readSnapshot(ctx, ch.To)
	if err != nil {
		return nil, err
	}
	want, err := t.readEntries(ctx, doc)
	if err != nil {
		return nil, err
	}
	inv, err := t.inventory(ctx)
	if err != nil {
		return nil, err
	}
	old, known := t.loadRecords(ctx, h.Records)
	alive, fresh := facts{}, []fact(nil)
	for path, e := range want {
		o, there := inv.site[path]
		f := factOf(o, e.content)
		switch {
		case !there || o.Size != e.Size:
		case known.has(f):
			alive[f] = struct{}{}
		case t.now.has(o, e.content), made[path].isThat(o):
			fresh = append(fresh, f)
		}
	}
	for i := range old {
		old[i].alive = slices.DeleteFunc(slices.Clone(old[i].alive), func(f fact) bool { return !alive.has(f) })
	}
	keep, store := mergeRecords(old, fresh)
	if len(store) == 0 {
		return keep, nil
	}
	path, err := t.writeByDigest(ctx, records, encodeFacts(store))
	return append(keep, path), err
}
