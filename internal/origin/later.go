package origin

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mirror/site"
)

// An origin that asks to be left alone for a while (Retry-After, RFC 9110, section 10.2.3)
// is asked for a page at most moreTries times more, and is waited for at most maxHeld
// timeouts in all, so that it cannot hold up a check for long.
const (
	moreTries = 2
	maxHeld   = 6
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
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	return ctx.Err()
}

// later tells whether to ask again after what the origin said, and sees to it that the
// client waits until then. Where it does not, the observation says what the origin wants.
func (c *Client) later(ctx context.Context, o *site.Observation, tries int) bool {
	if o.Status != http.StatusTooManyRequests && o.Status != http.StatusServiceUnavailable || c.options.Waited {
		return false
	}
	wait, ok := retryAfter(o.Header.Get("Retry-After"))
	if !ok {
		return false
	}
	deadline, bounded := ctx.Deadline()
	switch {
	case wait > c.options.Timeout, tries == moreTries, bounded && time.Until(deadline) < wait,
		!c.hold.extend(wait, maxHeld*c.options.Timeout):
		o.Digest, o.Raw = site.Digest{}, site.Digest{}
		o.Err = fail(Busy, fmt.Sprintf("answered %d and asks to be left alone for %s (hint: try later, or lower check.rate)", o.Status, wait), nil)
		return false
	}
	return ctx.Err() == nil
}

// longest is what is said of a Retry-After that is longer.
const longest = 366 * 24 * time.Hour

// retryAfter reads the header, which is in seconds or a date.
func retryAfter(text string) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longest), true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return min(max(time.Until(date), 0), longest).Round(time.Second), true
}
