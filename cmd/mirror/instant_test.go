package main

import (
	"testing"
	"time"
)

func TestInstants(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                     {},
		"7d":                   now.AddDate(0, 0, -7),
		"4w":                   now.AddDate(0, 0, -28),
		"12h":                  now.Add(-12 * time.Hour),
		"1d12h":                now.Add(-36 * time.Hour),
		"90s":                  now.Add(-90 * time.Second),
		"2026-01-31":           time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		"2026-01-31 10:30":     time.Date(2026, 1, 31, 10, 30, 0, 0, time.UTC),
		"2026-01-31T10:30:00Z": time.Date(2026, 1, 31, 10, 30, 0, 0, time.UTC),
	} {
		i := instant{text}
		if got, err := i.at(now); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"7", "d", "7 d", "-7d", "0d", "1y", "1.5h", "7D", "999999w", "999999w999999w", "9999999999999999999d", "2026-13-01", "today"} {
		if err := new(instant).Set(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
