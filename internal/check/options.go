package check

import (
	"context"
	"regexp"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/diff"
	"mirror/site"
)

// Options says what to look for.
type Options struct {
	Release    site.ID
	Manifest   site.Manifest
	BeaconPath string   // "" for none
	NotFound   string   // the site's not-found page; "" where only the status counts
	Absent     []string // paths that the release does not have and that may be served all the same
	OwnFiles   []string // paths that targets add and keep by themselves: not extra where they are served
	Ignore     []string // doublestar globs over paths that are not looked at
	Normalize  []Rule
	Headers    Headers
	// Open returns a file's bytes; nil where they are not at hand: then what differs is compared
	// with what an origin serves that has the release's.
	Open func(f site.File) ([]byte, error)
	// Limit bounds how long the origins may take for one look, where Await is given no patience;
	// 0 leaves that to their timeouts.
	Limit time.Duration
	// Sample is how many pages to look at, picked at random; 0 for all.
	Sample int
	// Learn reads a page that differs once more: where the origin then answers something else
	// again, the page is noise and no drift.
	Learn bool
	// Excerpts shows how altered pages differ.
	Excerpts bool
	// Trust, if set, takes an origin's word that a page has not changed.
	Trust *Trust
	// Past holds who knows of the releases that were live. They are asked one after another, for
	// as long as there is a difference that nobody knows the release of.
	Past []PastFunc
	// Whole returns the manifest of a release that the origins have turned to meanwhile.
	Whole func(ctx context.Context, id site.ID) (site.Manifest, bool)
	// Waiting, if set, hears how an origin stands each time that Await has looked in vain.
	Waiting func(v diff.OriginVerdict)
	// Progress, if set, hears of each page that was judged, from several goroutines.
	Progress func(origin string, done, total int)
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

// PastFunc lists releases that were live, newest first, with the digests of the paths in of.
type PastFunc func(ctx context.Context, of []string) []site.Past

// Rule takes out of some pages what may differ between origins.
type Rule struct {
	Match  string // doublestar glob over paths
	Remove []*regexp.Regexp
}

// Headers says which response headers the origins must agree on, beside the content type.
type Headers struct {
	Names []string
	// Promised is what the config has an origin send for a path, "" where it says nothing. nil
	// for nothing promised anywhere.
	Promised func(origin, path, name string) string
}
