package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"mirror/internal/wait"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// renewals is how often, in one lease, a commit under way says that it is alive.
const renewals = 4

// keeper renews the lease of a commit under way, and knows whether it is held still.
type keeper struct {
	target *Target
	proven atomic.Pointer[time.Time] // when the last write of the state that succeeded was begun

	mu sync.Mutex // guards the state, also while it is written
	h  documents.StateDocument
}

// underLease runs f while it renews the state's lease, and returns the state as it is
// then. When another publisher has taken over, f is stopped. A renewal that fails for
// another reason stops nothing: as long as the state is ours, the next one succeeds. Each
// request that f makes with its context waits until the lease is held.
func (t *Target) underLease(ctx context.Context, h documents.StateDocument, began time.Time, f func(context.Context) error) (documents.StateDocument, error) {
	k := &keeper{target: t, h: h}
	k.proven.Store(&began)
	running, stop := context.WithCancelCause(ctx)
	var wait sync.WaitGroup
	done := make(chan struct{})
	wait.Go(func() { k.renewUntil(running, done, stop) })
	err := f(bucket.WithGuard(running, k.assure))
	close(done)
	wait.Wait()
	if cause := context.Cause(running); cause != nil && ctx.Err() == nil {
		err = cause
	}
	stop(nil)
	return k.h, err
}

// renewUntil renews the lease until done, or until it is lost.
func (k *keeper) renewUntil(ctx context.Context, done <-chan struct{}, stop context.CancelCauseFunc) {
	tick := time.NewTicker(k.target.lease / renewals)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch err := k.renew(ctx); {
		case errors.Is(err, targets.ErrConflict):
			stop(fmt.Errorf("renew the lease: %w", err))
			return
		case err != nil && ctx.Err() == nil:
			k.target.log.Warn("the lease was not renewed; this is tried again", "err", err)
		}
	}
}

// renew writes a sign of life.
func (k *keeper) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(bucket.WithGuard(ctx, nil), k.target.lease)
	defer cancel()
	k.mu.Lock()
	defer k.mu.Unlock()
	began := time.Now()
	renewed := *k.h.State
	renewed.Beat++
	next, err := k.target.writeOwn(ctx, k.h, &renewed)
	if err != nil {
		return err
	}
	k.h = next
	k.proven.Store(&began)
	return nil
}

// valid reports whether nobody can have taken over yet. By the clock of the service, which
// decides, the last write is younger than by ours; time that a sleeping machine does not
// count is in the wall clock.
func (k *keeper) valid() bool {
	proven := *k.proven.Load()
	return max(time.Since(proven), time.Now().Round(0).Sub(proven.Round(0))) < k.target.lease/2
}

// patience is how many leases a commit waits for the lease to be renewed.
const patience = 4

// assure returns when the lease is held, or says that it is lost.
func (k *keeper) assure(ctx context.Context) error {
	for !k.valid() {
		err := k.renew(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, targets.ErrConflict), ctx.Err() != nil, time.Since(*k.proven.Load()) > patience*k.target.lease:
			return fmt.Errorf("renew the lease: %w", err)
		}
		if err := wait.Sleep(ctx, k.target.lease/renewals); err != nil {
			return err
		}
	}
	return nil
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
	if !errors.Is(err, targets.ErrConflict) {
		return next, err
	}
	now, readErr := t.docs.ReadState(ctx)
	if readErr != nil || now.None() || now.Phase != documents.PhaseCommitting || now.Holder != h.Holder || now.Released {
		return documents.StateDocument{}, err
	}
	return t.docs.WriteRaw(ctx, now, raw)
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
// ErrConflict; one that stays silent, as after a crash, is waited out.
func (t *Target) awaitFree(ctx context.Context) error {
	first, err := t.docs.ReadState(ctx)
	if err != nil || first.None() || first.Phase != documents.PhaseCommitting || t.mayTake(first) {
		return err
	}
	t.log.Info("another publisher's commit is under way; waiting until it ends or its lease runs out",
		"owner", first.Owner, "heard", first.Age, "lease", t.lease)
	tick := time.NewTicker(min(leasePoll, t.lease/renewals))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, err := t.docs.ReadState(ctx)
		switch {
		case err != nil:
			return err
		case now.None() || now.Phase != documents.PhaseCommitting || t.mayTake(now):
			return nil
		case now.Revision != first.Revision || now.Beat != first.Beat:
			return documents.Conflict(now)
		}
	}
}

// mayTake reports whether a commit under way may be taken over.
func (t *Target) mayTake(h documents.StateDocument) bool {
	return h.Released || h.Owner != "" && h.Owner == t.owner || h.Age > t.lease
}
