package reports

import (
	"fmt"
	"strings"
	"time"

	"mirror/internal/humanize"
)

// Purge is what a publish removed from the caches before one origin.
type Purge struct {
	Origin   string    `json:"origin"`
	Caches   []string  `json:"caches"` // their types, in the order in which they were purged
	URLs     int       `json:"urls"`
	Requests int       `json:"requests"`
	Rounds   int       `json:"rounds"` // more than one where a cache still answered with old bytes and was purged again
	Began    time.Time `json:"began"`
	Elapsed  Millis    `json:"elapsed_ms"` // until the last round was confirmed
	// Visible bounds the time from Began until the changed pages that are watched were answered new through the
	// caches; null where that was not seen.
	Visible *Span  `json:"visible"`
	Error   string `json:"error"`
}

// summary describes a purge in one line.
func (p Purge) summary() string {
	parts := []string{fmt.Sprintf("%s at %s, %s in %s", humanize.Plural(p.URLs, "URL"), clean(strings.Join(p.Caches, ", ")),
		humanize.Plural(p.Requests, "request"), duration(p.Elapsed))}
	if p.Rounds > 1 {
		parts = append(parts, fmt.Sprintf("%d rounds", p.Rounds))
	}
	if p.Visible != nil {
		parts = append(parts, fmt.Sprintf("visible through the caches %s to %s after the purge began", duration(p.Visible.Lower), duration(p.Visible.Upper)))
	}
	if p.Error != "" {
		parts = append(parts, "failed: "+clean(p.Error))
	}
	return strings.Join(parts, "; ")
}
