package origin

import (
	"strconv"
	"time"

	"net/http"
)

// longest is what is said of a Retry-After that is longer.
const longest = 366 * 24 * time.Hour

// retryAfter reads the header, which is in seconds or a date (RFC 9110, section 10.2.3).
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
