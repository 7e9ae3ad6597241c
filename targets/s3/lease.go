package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"mirror/internal/lease"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// ownState is the state document while this process holds it.
type ownState struct {
	target *Target

	mu    sync.Mutex // guards what follows, also while the document is written
	h     documents.StateDocument
	spent bool // it is not to be renewed any more
}

// document is the state as it was written last.
func (o *ownState) document() documents.StateDocument {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.h
}

// renew writes a sign of life.
func (o *ownState) renew(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.spent {
		return nil
	}
	next, err := o.target.writeOwn(bucket.WithGuard(ctx, nil), o.h, nextBeat(o.h))
	if err != nil {
		return fmt.Errorf("renew the lease: %w", err)
	}
	o.h = next
	return nil
}

// nextBeat is the state with a sign of life.
func nextBeat(h documents.StateDocument) *documents.State {
	if h.Reserved != nil {
		r := *h.Reserved
		r.Beat++
		return h.WithReservation(&r)
	}
	renewed := *h.State
	renewed.Beat++
	return &renewed
}

// keep renews the lease on a state that this process has written in a request begun at that time.
func (o *ownState) keep(ctx context.Context, began time.Time) *lease.Keeper {
	return lease.Keep(ctx, began, lease.Terms{Length: o.target.lease, Renew: o.renew, Lost: isConflict, Log: o.target.log})
}

func isConflict(err error) bool { return errors.Is(err, targets.ErrConflict) }

// underLease runs f while it renews the state's lease, and returns the state as it is
// then. When another publisher has taken over, f is stopped. A renewal that fails for
// another reason stops nothing: as long as the state is ours, the next one succeeds. Each
// request that f makes with its context waits until the lease is held.
func (t *Target) underLease(ctx context.Context, h documents.StateDocument, began time.Time, f func(context.Context) error) (documents.StateDocument, error) {
	own := &ownState{target: t, h: h}
	k := own.keep(ctx, began)
	running, stop := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-k.Lost():
			stop(k.Err())
		case <-ended:
		}
	})
	err := f(bucket.WithGuard(running, k.Assure))
	close(ended)
	watching.Wait()
	k.Stop()
	if cause := context.Cause(running); cause != nil && ctx.Err() == nil {
		err = cause
	}
	stop(nil)
	return own.document(), err
}

// writeOwn replaces the state that this commit holds. A renewal whose answer was lost may have
// changed it in between: it is ours all the same.
func (t *Target) writeOwn(ctx context.Context, h documents.StateDocument, s *documents.State) (documents.StateDocument, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return documents.StateDocument{}, fmt.Errorf("encode the state: %w", err)
	}
	return t.writeOwnRaw(ctx, h, raw)
}

func (t *Target) writeOwnRaw(ctx context.Context, h documents.StateDocument, raw []byte) (documents.StateDocument, error) {
	next, err := t.docs.WriteRaw(ctx, h, raw)
	if err == nil {
		t.seen.carry(h, next)
	}
	if !errors.Is(err, targets.ErrConflict) {
		return next, err
	}
	now, readErr := t.docs.ReadState(ctx)
	if readErr != nil || now.HeldBy() == "" || now.HeldBy() != h.HeldBy() {
		return documents.StateDocument{}, err
	}
	if next, err = t.docs.WriteRaw(ctx, now, raw); err == nil {
		t.seen.carry(h, next)
	}
	return next, err
}

// releaseTimeout bounds the last word of a commit that failed.
const releaseTimeout = 3 * time.Second

// release gives an interrupted commit free for others, so that they need not wait for
// the lease to run out. It may fail: then they wait.
func (t *Target) release(ctx context.Context, h documents.StateDocument) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	given := *h.State
	given.Released = true
	if _, err := t.writeOwn(ctx, h, &given); err != nil {
		t.log.Warn("the interrupted commit keeps others out until its lease ends", "lease", t.lease, "err", err)
	}
}

// leasePoll is how often a lease that keeps us out is looked at again.
const leasePoll = 500 * time.Millisecond

// awaitFree waits until no commit of another publisher is under way: while nothing of ours
// is visible anywhere is the time for that. One that shows a sign of life gives
// ErrConflict; one that stays silent, as after a crash, is waited out. It returns the state as it is then.
func (t *Target) awaitFree(ctx context.Context) (documents.StateDocument, error) {
	if h, just := t.seen.takePlanned(); just && !h.None() && h.Phase == documents.PhaseLive {
		return h, nil
	}
	first, err := t.docs.ReadState(ctx)
	if err != nil || first.None() || first.Phase != documents.PhaseCommitting || t.mayTake(first) {
		return first, err
	}
	t.log.Info("another publisher's commit is under way; waiting until it ends or its lease runs out",
		"owner", first.Owner, "heard", first.Age, "lease", t.lease)
	tick := time.NewTicker(min(leasePoll, t.lease/4))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return first, ctx.Err()
		case <-tick.C:
		}
		now, err := t.docs.ReadState(ctx)
		switch {
		case err != nil:
			return now, err
		case now.None() || now.Phase != documents.PhaseCommitting || t.mayTake(now):
			return now, nil
		case now.Revision != first.Revision || now.Beat != first.Beat:
			return now, documents.Conflict(now)
		}
	}
}

// mayTake reports whether no other publisher holds the place: by a reservation or a commit under
// way that its lease protects.
func (t *Target) mayTake(h documents.StateDocument) bool {
	return h.HeldBy() == "" || t.isFiller(h) || h.OwnerName() != "" && h.OwnerName() == t.owner || h.Age > t.lease
}

// isFiller reports whether the last Stage of this process has left a place reserved.
func (t *Target) isFiller(h documents.StateDocument) bool {
	holder, _ := t.filler.Load().(string)
	return holder != "" && h.HeldBy() == holder
}
