package diff

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
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
}

// Expectation is what the release says of one path.
type Expectation struct {
	File site.File
	// Absent says that the release has no such path; it is asked for since a target
	// stores it, or an earlier release had it.
	Absent bool
	// NotFound says that the path is one that never existed, to see how the origin says
	// so. File.Digest is then the not-found page's, zero where the site has none.
	NotFound bool
}

// Judge compares what an origin answered for a path with the release. ok is true where
// they agree. What could not be judged is a difference of the kind Unreachable, never an
// agreement.
func Judge(want Expectation, o site.Observation) (d Difference, ok bool) {
	d = Difference{Path: want.File.Path, URL: o.URL, Want: want.File.Digest, Got: o.Digest, Status: o.Status}
	switch {
	case o.Err != nil && !errors.Is(o.Err, site.ErrTooLong):
		d.Kind, d.Detail = Unreachable, o.Err.Error()
	case isRedirect(o.Status):
		return d, judgeRedirect(want, o, &d)
	case want.NotFound:
		return d, judgeNotFound(want, o, &d)
	case want.Absent:
		return d, judgeAbsent(o, &d)
	default:
		return d, judgePage(want.File, o, &d)
	}
	return d, false
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// judgeRedirect agrees with a redirect only where a path that the release does not have
// leads elsewhere on the same host, as servers lead from a folder's name to the folder.
func judgeRedirect(want Expectation, o site.Observation, d *Difference) bool {
	d.Kind, d.Location = Redirected, o.Header.Get("Location")
	d.Detail = fmt.Sprintf("answered %d", o.Status)
	from, err := url.Parse(o.URL)
	if err != nil {
		return false
	}
	to, err := from.Parse(d.Location)
	switch {
	case err != nil:
		d.Detail += ", to what is no URL"
	case to.Host != from.Host:
		d.Detail += ", away to the host " + to.Host
	case want.Absent:
		return true
	}
	return false
}

func judgeNotFound(want Expectation, o site.Observation, d *Difference) bool {
	d.Kind = Altered
	configured := !want.File.Digest.IsZero()
	switch {
	case o.Status == http.StatusForbidden && !configured: // a bucket that may not be listed
		return true
	case o.Status >= 200 && o.Status < 300, o.Status == http.StatusForbidden:
		d.Detail = fmt.Sprintf("a path that does not exist answers %d, not 404 with the not-found page", o.Status)
		return false
	case o.Status != http.StatusNotFound && o.Status != http.StatusGone:
		d.Kind, d.Detail = Unreachable, fmt.Sprintf("a path that does not exist answers %d", o.Status)
		return false
	case configured && o.Digest != want.File.Digest:
		d.Detail = fmt.Sprintf("%s, which does not exist, answers 404 with other bytes than the not-found page's (hint: have the server send that page, or drop site.not_found)", o.URL)
		return false
	}
	return true
}

func judgeAbsent(o site.Observation, d *Difference) bool {
	switch {
	case o.Status >= 200 && o.Status < 300:
		d.Kind, d.Detail = Extra, "served, and no part of the release"
		return false
	case o.Status >= 500, o.Status == http.StatusTooManyRequests:
		d.Kind, d.Detail = Unreachable, fmt.Sprintf("answered %d", o.Status)
		return false
	}
	return true
}

func judgePage(want site.File, o site.Observation, d *Difference) bool {
	switch {
	case o.Status == http.StatusNotFound, o.Status == http.StatusGone:
		d.Kind, d.Detail = Missing, fmt.Sprintf("answered %d", o.Status)
	case o.Status != http.StatusOK && (o.Status < 200 || o.Status >= 300):
		d.Kind, d.Detail = Unreachable, fmt.Sprintf("answered %d", o.Status)
	case o.Status != http.StatusOK:
		d.Kind, d.Detail = Altered, fmt.Sprintf("answered %d, not 200", o.Status)
	case o.Err != nil:
		d.Kind, d.Detail = Altered, fmt.Sprintf("over %d bytes, want %d", o.Size, want.Size)
	case o.Digest != want.Digest && o.Raw != want.Digest:
		d.Kind, d.Detail = Altered, alteration(want, o)
	default:
		detail, ok := judgeType(want.Path, o.Header.Get("Content-Type"))
		d.Kind, d.Detail = Mistyped, detail
		return ok
	}
	return false
}

func alteration(want site.File, o site.Observation) string {
	switch {
	case o.Size == 0:
		return fmt.Sprintf("an empty body, want %d bytes", want.Size)
	case o.Size == want.Size:
		return fmt.Sprintf("other bytes of the same size, %d", want.Size)
	}
	return fmt.Sprintf("%d bytes, want %d", o.Size, want.Size)
}

// Everywhere folds the differences of an origin's pages into a single one, with the path
// "*", when the origin gave the same wrong answer on every page: it is parked, or shut down.
func Everywhere(diffs []Difference, pages int) []Difference {
	if pages < 2 || len(diffs) < pages {
		return diffs
	}
	first := diffs[0]
	for _, d := range diffs[1:] {
		if !sameAnswer(first, d) {
			return diffs
		}
	}
	first.Path, first.Want = "*", site.Digest{}
	first.Detail = fmt.Sprintf("the same answer on all %d pages: %s", pages, first.Detail)
	return []Difference{first}
}

func sameAnswer(a, b Difference) bool {
	if a.Kind != b.Kind || a.Status != b.Status || a.Kind == Mistyped {
		return false
	}
	if a.Kind == Altered {
		return a.Got == b.Got && !a.Got.IsZero()
	}
	return hostOf(a.Location) == hostOf(b.Location)
}

func hostOf(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	return strings.ToLower(u.Host)
}
