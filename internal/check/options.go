package check

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/diff"
	"mirror/site"
)

// Options says what to look for.
type Options struct {
	Release  site.ID
	Manifest site.Manifest
	// Asked, if not nil, are the paths of the manifest that this look asks for, sorted: it is one part of
	// a look that is shared. The other files tell what the answers for removed paths mean.
	Asked      []string
	NoFolders  bool              // do not ask for folders without their slash: another part does
	BeaconPath string            // "" for none
	NotFound   string            // the site's not-found page; "" where only the status counts
	Absent     []string          // paths that the release does not have and that may be served all the same
	OwnFiles   []string          // paths that targets add and keep by themselves: not extra where they are served
	Redirects  map[string]string // pages that stand for redirects: where they lead, relative to the page, by path
	Ignore     []string          // doublestar globs over paths that are not looked at
	Normalize  []Rule
	Headers    Headers
	// Open returns a file's bytes; nil where they are not at hand: then what differs is compared
	// with what an origin serves that has the release's.
	Open func(f site.File) ([]byte, error)
	// Limit bounds how long the origins may take for one look, where Await is given no patience;
	// 0 leaves that to their timeouts.
	Limit time.Duration
	// GiveUp is for how long an origin of which every answer is a permanent failure
	// (origin.Permanent) is waited for; 0 for as long as for any other.
	GiveUp time.Duration
	// Sample is how many pages to look at, picked at random; 0 for all.
	Sample int
	// Learn reads a page that differs once more: where the origin then answers something else
	// again, the page is noise and no drift.
	Learn bool
	// Excerpts shows how altered pages differ.
	Excerpts bool
	// Validators, if set, has an origin's word count that a page has not changed.
	Validators *Validators
	// Past holds the sources of the releases that were live. They are asked one after another, for
	// as long as there is a difference whose release is unknown.
	Past []PastFunc
	// Whole returns the manifest of a release that the origins have switched to since.
	Whole func(ctx context.Context, id site.ID) (site.Manifest, bool)
	// Waiting, if set, hears how an origin differs each time that Await has read it and will read it again.
	Waiting func(v diff.OriginVerdict)
	// Cached, if set, is called with each answer for the beacon, a page of the release, or one that is to be gone, and
	// whether that was as it should be; from several goroutines at once.
	Cached func(origin string, o site.Observation, good bool)
	// Progress, if set, hears of each page that was judged, from several goroutines.
	Progress func(origin string, done, total int)
}

// PastFunc lists releases that were live, newest first, with the digests of the paths in of.
type PastFunc func(ctx context.Context, of []string) []site.Past

// Headers says which response headers the origins must agree on, beside the content type.
type Headers struct {
	Names []string
	// Expected is what the config has an origin send for a path, "" where it says nothing. nil
	// where it says nothing of any page.
	Expected func(origin, path, name string) string
}

// Rule takes out of some pages what may differ between origins.
type Rule struct {
	Match  string // doublestar glob over paths
	Remove []*regexp.Regexp
}

func (o Options) ignored(path string) bool {
	return slices.ContainsFunc(o.Ignore, func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
}

// asks reports whether a page of the manifest is to be asked for.
func (o Options) asks(path string) bool {
	if o.Asked != nil {
		if _, ok := slices.BinarySearch(o.Asked, path); !ok {
			return false
		}
	}
	return !o.ignored(path)
}

func (o Options) rulesFor(path string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, r := range o.Normalize {
		if doublestar.MatchUnvalidated(r.Match, path) {
			all = append(all, r.Remove...)
		}
	}
	return all
}

// against looks for another release: what the one before had and it has not is to be gone.
func (o Options) against(id site.ID, m site.Manifest) Options {
	absent := slices.Clone(o.Absent)
	for _, f := range o.Manifest {
		absent = append(absent, f.Path)
	}
	slices.Sort(absent)
	o.Release, o.Manifest, o.Absent = id, m, slices.Compact(absent)
	o.Open = nil // the bytes at hand are of the release before
	return o
}
