package publish

import (
	"context"
	"time"

	"mirror/diff"
	"mirror/site"
)

// Caches are what stands before the origins and keeps their answers.
type Caches interface {
	// Start begins the purges of a publish, which end with Finish.
	Start(release site.ID)
	// Changed purges what has changed at a destination's origin. It returns at once.
	Changed(destination string, c diff.Changes)
	// Finish waits until what was begun is done, or ctx ends, and tells of each origin for which anything was purged.
	Finish(ctx context.Context) []Purge
}

// Purge is what was removed from the caches before one origin.
type Purge struct {
	Origin   string
	Types    []string // of the caches
	URLs     int
	Requests int
	Rounds   int       // more than one where something was purged again
	Began    time.Time // of the first request
	Done     time.Time // of the last round
	// Visible bounds the time from Began until all changed pages that are watched were answered new through the
	// caches; nil where that was not seen.
	Visible *diff.Span
	Err     error // of the last round
}

// visible bounds the time from the first request of a purge until the origin was seen to be new.
func visible(r Purge, w *diff.Window) *diff.Span {
	if w == nil {
		return nil
	}
	for _, o := range w.Origins {
		if o.Name == r.Origin && !o.Unchanged && len(o.Open) == 0 && !o.AllNew.Before.IsZero() {
			return &diff.Span{Lower: max(0, o.AllNew.After.Sub(r.Began)), Upper: max(0, o.AllNew.Before.Sub(r.Began))}
		}
	}
	return nil
}
