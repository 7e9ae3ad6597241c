package s3

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// renewals is how often, in one lease, a commit under way says that it is alive.
const renewals = 4

// underLease runs f while it renews the state's lease, and returns the state as it is
// then. When somebody else has taken over, f is stopped.
func (t *Target) underLease(ctx context.Context, h held, f func(context.Context) error) (held, error) {
	running, stop := context.WithCancelCause(ctx)
	var wait sync.WaitGroup
	done := make(chan struct{})
	wait.Go(func() {
		tick := time.NewTicker(t.lease / renewals)
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
		t.log.Warn("the interrupted commit keeps others out until its lease ends", "lease", t.lease, "err", err)
	}
}

// leasePoll is how often a lease that keeps us out is looked at again.
const leasePoll = 500 * time.Millisecond

// awaitFree waits until no commit of another publisher is under way: while nothing of ours
// is visible anywhere is the time for that. One that shows a sign of life gives
// ErrConflict; one that stays silent, as after a crash, is waited out.
func (t *Target) awaitFree(ctx context.Context) error {
	first, err := t.readState(ctx)
	if err != nil || first.none() || first.Phase != committing || t.mayTake(first) {
		return err
	}
	t.log.Info("another publisher's commit is under way; waiting until it ends or its lease runs out",
		"owner", first.Owner, "heard", first.age, "lease", t.lease)
	tick := time.NewTicker(min(leasePoll, t.lease/renewals))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, err := t.readState(ctx)
		switch {
		case err != nil:
			return err
		case now.none() || now.Phase != committing || t.mayTake(now):
			return nil
		case now.Revision != first.Revision || now.Beat != first.Beat:
			return conflict(now)
		}
	}
}
