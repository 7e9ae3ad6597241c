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
