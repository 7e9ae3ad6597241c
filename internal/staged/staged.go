// Package staged holds which releases are staged to go live later, as a record that each target keeps.
// Others may have written it, so it is bounded, and decides only which releases are listed and kept for
// how long: what goes live is verified against its ID.
package staged

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"mirror/site"
)

// Bounds of a record.
const (
	maxReleases = 20
	MaxFor      = 90 * 24 * time.Hour // how long a release may stay staged
	ahead       = time.Hour           // by which the clock of a publisher may be fast
)

// Release is a release that is staged, or was.
type Release struct {
	Release site.ID   `json:"release"`
	At      time.Time `json:"at"`    // of this entry: of two for one release the later one counts
	Until   time.Time `json:"until"` // when it may be pruned
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`
	Done    bool      `json:"done,omitempty"` // it went live, or was withdrawn
	// Withdrawn: it did not go live.
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// Merge is what several records hold together, the latest entry first.
func Merge(records ...[]Release) []Release {
	all := slices.Concat(records...)
	slices.SortStableFunc(all, func(a, b Release) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Release, b.Release), compareBool(b.Done, a.Done))
	})
	var merged []Release
	seen := map[site.ID]bool{}
	for _, r := range all {
		if !seen[r.Release] && len(merged) < maxReleases {
			seen[r.Release] = true
			merged = append(merged, r)
		}
	}
	return merged
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Valid returns the entries that can be true at a time and are not over.
func Valid(all []Release, now time.Time) []Release {
	return slices.DeleteFunc(slices.Clone(all), func(r Release) bool {
		_, err := site.ParseID(string(r.Release))
		return err != nil || r.At.After(now.Add(ahead)) || !r.Until.After(now) || r.Until.After(r.At.Add(MaxFor)) || r.Files < 0 || r.Bytes < 0
	})
}

// Waiting returns the entries of releases that are still to go live.
func Waiting(all []Release, now time.Time) []Release {
	return slices.DeleteFunc(Valid(all, now), func(r Release) bool { return r.Done })
}

// Find returns the entries of the releases whose ID begins so.
func Find(all []Release, prefix string) (found []Release) {
	for _, r := range all {
		if strings.HasPrefix(string(r.Release), strings.ToLower(prefix)) {
			found = append(found, r)
		}
	}
	return found
}

// WentLive returns the entries which say that releases no longer wait; none for those that did not.
func WentLive(all []Release, now time.Time, ids ...site.ID) []Release {
	return ended(all, now, false, ids)
}

// Withdraw returns the entries which say that releases are no longer to go live; none for those that did not wait.
func Withdraw(all []Release, now time.Time, ids ...site.ID) []Release {
	return ended(all, now, true, ids)
}

func ended(all []Release, now time.Time, withdrawn bool, ids []site.ID) (done []Release) {
	for _, r := range Waiting(all, now) {
		if slices.Contains(ids, r.Release) {
			if r.At = r.At.Add(time.Millisecond); r.At.Before(now) { // else the clock of who staged it is fast
				r.At = now.UTC()
			}
			r.Done, r.Withdrawn = true, withdrawn
			done = append(done, r)
		}
	}
	return done
}

// Held lists the releases that no publish may drop.
func Held(all []Release, now time.Time) (ids []site.ID) {
	for _, r := range Waiting(all, now) {
		ids = append(ids, r.Release)
	}
	return ids
}
