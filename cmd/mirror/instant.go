package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// instant is a flag that names an instant: a date, or how long ago it was.
type instant struct{ text string }

// String shows the flag as it was written.
func (i *instant) String() string { return i.text }

// Type is what help calls the flag's value.
func (i *instant) Type() string { return "time" }

// Set takes what at can read.
func (i *instant) Set(text string) error {
	i.text = text
	_, err := i.at(time.Unix(1<<32, 0))
	return err
}

// at returns the instant as seen from now; the zero time where the flag is empty.
func (i *instant) at(now time.Time) (time.Time, error) {
	if i.text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.Parse(layout, i.text); err == nil {
			return t, nil
		}
	}
	ago, err := parseAgo(i.text)
	if err != nil {
		return time.Time{}, err
	}
	return now.Add(-ago), nil
}

// longest is the most that is looked back: a century.
const longest = 100 * 366 * 24 * time.Hour

var agoPart = regexp.MustCompile(`^(\d{1,6})(w|d|h|m|s)`)

// parseAgo reads 4w, 7d, 12h, 30m or several of these in a row.
func parseAgo(text string) (time.Duration, error) {
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
