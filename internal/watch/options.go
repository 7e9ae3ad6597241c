package watch

import (
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

// Options says what to watch for.
type Options struct {
	Began   time.Time // nothing new can have been visible before
	Changes []diff.Change
	// Own lists, by origin, the paths that change there; nil where all do at all origins. The
	// others are neither asked for nor waited for at that origin.
	Own map[string][]string
	// Earlier are bytes, by path, that are older than the changes' old side and count as old.
	Earlier map[string][]site.Digest
	// Release and BeaconPath tell which claim of a beacon means that an origin has turned;
	// BeaconPath is "" where there is none.
	Release    site.ID
	BeaconPath string
	Manifest   site.Manifest // of Release, nil where unknown
	Atomic     []string      // origins that declare that their pages turn all at once
	// Patience is how long Baseline waits for answers, at most and by default baselinePatience.
	Patience time.Duration
	// GiveUp has the watch not wait for an origin of which each answer is a permanent failure, see
	// Progress.Hopeless.
	GiveUp bool
	// Seen are answers from before the watch. Those from before Began say what the origins
	// served when it began.
	Seen []Seen
	// Claimed is which release each origin's beacon claimed before Began.
	Claimed map[string]site.ID
	// Newer looks up a release that a beacon claims: its manifest, and whether it is newer
	// than Release. Its bytes then count as new. May be nil.
	Newer func(id site.ID) (site.Manifest, bool)
	// RateKey names what sets the rate of requests, for notes: a flag or a key of the config.
	RateKey string
	// See, if set, hears of every answer, from several goroutines at once.
	See func(origin string, o site.Observation, side diff.Side)
	// Cached, if set, is called with every answer to a request that does not bypass caches, from several
	// goroutines at once.
	Cached func(origin string, o site.Observation, side diff.Side)
}

// Seen is what one origin answered.
type Seen struct {
	Origin      string
	Observation site.Observation
}

// own lists the paths that change at an origin.
func (o Options) own(name string) []string {
	if o.Own != nil {
		return o.Own[name]
	}
	var paths []string
	for _, c := range o.Changes {
		paths = append(paths, c.Path)
	}
	return paths
}

// maxAlive bounds how many pages are asked for until one answers 200.
const maxAlive = 3

// alive lists pages of which one should answer 200 while an origin serves the site, before and
// after the change.
func (o Options) alive() []string {
	var paths []string
	if o.BeaconPath != "" {
		paths = append(paths, o.BeaconPath)
	}
	if len(o.Manifest) > 0 {
		stays := slices.IndexFunc(o.Manifest, func(f site.File) bool {
			return !slices.ContainsFunc(o.Changes, func(c diff.Change) bool { return c.Path == f.Path })
		})
		paths = append(paths, o.Manifest[max(stays, 0)].Path)
	}
	for _, c := range o.Changes {
		if !c.New.IsZero() && len(paths) < maxAlive {
			paths = append(paths, c.Path)
		}
	}
	return append(paths, "")
}
