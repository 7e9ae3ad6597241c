package publish

import (
	"context"
	"sync"
	"time"
)

// rescues are what looks after deployments that may be lost.
type rescues struct {
	begin func(do func(context.Context))
	stop  func()
}

// newRescues allows rescues for a time. End them.
func newRescues(ctx context.Context, within time.Duration) *rescues {
	ctx, cancel := context.WithTimeout(ctx, within)
	var all sync.WaitGroup
	return &rescues{
		begin: func(do func(context.Context)) { all.Go(func() { do(ctx) }) },
		stop:  func() { cancel(); all.Wait() },
	}
}

// end waits for what is under way. It may be called again, and on nil.
func (r *rescues) end() {
	if r != nil {
		r.stop()
	}
}
