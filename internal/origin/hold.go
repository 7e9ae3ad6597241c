package origin

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"mirror/internal/wait"
)

// hold keeps all requests of a client back for a while.
type hold struct {
	until atomic.Int64 // since epoch, in nanoseconds; 0 where nothing was ever held
	mu    sync.Mutex
	epoch time.Time
	spent time.Duration
}

// extend holds the requests back from now on for a while, unless that makes the holds
// longer than most in all.
func (h *hold) extend(wait, most time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.epoch.IsZero() {
		h.epoch = time.Now()
	}
	now := time.Since(h.epoch)
	more := now + wait - max(now, time.Duration(h.until.Load()))
	if more <= 0 {
		return true
	}
	if h.spent+more > most {
		return false
	}
	h.spent += more
	h.until.Store(int64(now + wait))
	return true
}

// rest waits for as long as requests are held back. The error is ctx's.
func (h *hold) rest(ctx context.Context) error {
	for h.until.Load() != 0 {
		h.mu.Lock()
		left := time.Duration(h.until.Load()) - time.Since(h.epoch)
		h.mu.Unlock()
		if left <= 0 {
			break
		}
		if wait.Sleep(ctx, left) != nil {
			return ctx.Err()
		}
	}
	return ctx.Err()
}
