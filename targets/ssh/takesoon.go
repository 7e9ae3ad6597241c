package ssh

import (
	"context"
	"errors"
	"time"

	"mirror/internal/wait"
	"mirror/targets"
)

// pruneWait is how long Prune waits for another publisher's commit.
const pruneWait = 10 * time.Second

// takeSoon holds the place, for which it waits a while.
func (t *Target) takeSoon(ctx context.Context) (*reservation, error) {
	until := time.Now().Add(pruneWait)
	for {
		r, err := t.take(ctx, targets.Swap{})
		if !errors.Is(err, targets.ErrReserved) || time.Now().After(until) {
			return r, err
		}
		if err := wait.Sleep(ctx, pruneWait/40); err != nil {
			return nil, err
		}
	}
}
