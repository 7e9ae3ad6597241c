package humanize

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// longest is the most that is looked back: a century.
const longest = 100 * 366 * 24 * time.Hour

var agoPart = regexp.MustCompile(`^(\d{1,6})(w|d|h|m|s)`)

// ParseAgo reads 4w, 7d, 12h, 30m or several of these in a row.
func ParseAgo(text string) (time.Duration, error) {
	units := map[string]time.Duration{"w": 7 * 24 * time.Hour, "d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}
	var all time.Duration
	for rest := text; rest != ""; {
		m := agoPart.FindStringSubmatch(rest)
		if m == nil {
			return 0, fmt.Errorf("%q is neither a time ago, such as 7d, 12h or 4w, nor a date, such as 2026-01-31", text)
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0, err
		}
		all += min(time.Duration(n)*units[m[2]], longest)
		rest = rest[len(m[0]):]
	}
	if all <= 0 || all > longest {
		return 0, fmt.Errorf("%q: want more than nothing, and at most 100 years", text)
	}
	return all, nil
}

// ParseInstant reads a date, a time, or how long before now an instant was: 2026-01-31,
// "2026-01-31 10:30", RFC 3339, 7d. An empty text is the zero time.
func ParseInstant(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	ago, err := ParseAgo(text)
	if err != nil {
		return time.Time{}, err
	}
	return now.Add(-ago), nil
}
