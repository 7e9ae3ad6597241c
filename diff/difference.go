package diff

import (
	"time"

	"mirror/site"
)

// Kind names a drift.
type Kind string

// The kinds of drift, most telling first.
const (
	Missing     Kind = "missing"     // a page of the release is not there
	Stale       Kind = "stale"       // the bytes are those of an earlier release
	Extra       Kind = "extra"       // a path is served that the release does not have
	Altered     Kind = "altered"     // the bytes are of no known release
	Redirected  Kind = "redirected"  // the origin sends the visitor elsewhere
	Mistyped    Kind = "mistyped"    // the right bytes, in a type that browsers treat otherwise
	Headers     Kind = "headers"     // the right bytes under other headers than configured
	Unreachable Kind = "unreachable" // it could not be judged
)

// Kinds lists the kinds of drift, most telling first.
func Kinds() []Kind {
	return []Kind{Missing, Stale, Extra, Altered, Redirected, Mistyped, Headers, Unreachable}
}

// Difference is one drift: a path at which an origin does not serve the release.
type Difference struct {
	Origin   string
	Path     string // manifest path; "*" stands for every page of the origin
	URL      string
	Kind     Kind
	Want     site.Digest // zero where the release has no such path
	Got      site.Digest // zero where no body was read to its end
	Status   int
	Location string  // of a redirect
	Release  site.ID // the earlier release that the bytes, or an extra path, are of
	Behind   int     // how many releases ago that was
	Detail   string  // one line for people
	// Published is when Release went live, zero where nobody knows.
	Published time.Time
	// Excerpt shows, in a few lines of a unified diff, how the bytes differ; "" where
	// nobody looked.
	Excerpt string
	// Tolerated is the rule by which this difference does not count, "" where it counts.
	Tolerated string
	// Cached says that only caches in front of the origin serve it: past them the origin
	// serves the release.
	Cached bool
}
