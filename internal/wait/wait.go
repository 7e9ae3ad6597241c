// Package wait holds how this program waits: never past the end of a context.
package wait

import (
	"context"
	"time"
)

// Sleep waits for d. The error is the cause of ctx's end, where that came first.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
