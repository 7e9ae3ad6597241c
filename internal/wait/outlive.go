package wait

import (
	"context"
	"time"
)

// outlivedKey is the key of the context that a context of Outlive goes on after.
type outlivedKey struct{}

// Outlive returns a context for what has to be finished although ctx may end: it lasts for longest.
// What waits in it for another process should not wait long once ctx has ended: see Hurried.
func Outlive(ctx context.Context, longest time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithValue(context.WithoutCancel(ctx), outlivedKey{}, ctx), longest)
}

// Hurried returns a context that ends with ctx, or with grace after the end of the context that ctx
// outlives, whichever is first.
func Hurried(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	within, cancel := context.WithCancel(ctx)
	outlived, ok := ctx.Value(outlivedKey{}).(context.Context)
	if !ok {
		return within, cancel
	}
	stop := context.AfterFunc(outlived, func() {
		_ = Sleep(within, grace) // it ends at the latest with cancel
		cancel()
	})
	return within, func() { stop(); cancel() }
}
