package origin

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
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
