package main

import (
	"time"

	"mirror/internal/humanize"
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
	return humanize.ParseInstant(i.text, now)
}
