package diff

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"mirror/site"
)

// Absence is how one origin, at one moment, answers for what it does not have.
type Absence struct {
	// Unknown is the status of its answer for a path that never existed, 0 where none was requested.
	Unknown int
	// Serves says that it answered 200 for a page of the release at that moment.
	Serves bool
}

// String tells people what is known of it.
func (a Absence) String() string {
	switch {
	case !a.Serves:
		return "no page of the release answers 200"
	case a.Unknown == 0:
		return "the answer for a path that never existed is unknown"
	}
	return fmt.Sprintf("a path that never existed answers %d", a.Unknown)
}

// Removed is a path that a release does not have, at one origin.
type Removed struct {
	Path    string
	Release site.Manifest // nil where unknown
	Style   site.URLStyle // of the origin
	Absence Absence       // of the origin
}

// Gone reports whether an answer shows that the origin has no page at a removed path. It is
// the one rule for that, for publish, watch and check:
//
//   - 404 and 410 say so.
//   - Another status from 400 to 499 says so only where the origin answers a path that never
//     existed the same way while it serves a page of the release: a firewall refuses all pages,
//     or one of them. 403 also says so at the URL of a folder that has files of the release,
//     which is how servers refuse to list it. 408, 425 and 429 never do.
//   - A redirect says so where it stays on the host and leads to another page, or to a page
//     of the release. One that leads away may be of a parked host, one that leads back of a
//     server that is not well.
//   - 200 says so only with the bytes of the page that the release has at that URL, see Replaced.
//     The bytes of the not-found page under 200 do not: visitors and crawlers take them for a page.
func Gone(o site.Observation, r Removed) bool {
	switch {
	case o.Err != nil && (!errors.Is(o.Err, site.ErrTooLong) || errors.Is(o.Err, site.ErrBomb)):
		return false
	case isGone(o.Status):
		return true
	case isRedirect(o.Status):
		return r.movedOn(o)
	case o.Status == http.StatusOK:
		f, ok := r.Replaced()
		return ok && !f.Digest.IsZero() && (o.Digest == f.Digest || o.Raw == f.Digest)
	case IsRefusal(o.Status):
		return r.Absence.Serves && (o.Status == r.Absence.Unknown || r.refusesToList(o.Status))
	}
	return false
}

// Replaced returns the page of the release that the origin serves at the URL of the removed
// path, or at that URL but for its last slash: about/index.html in place of about. Servers lead
// from one to the other, or answer both, so the path is not removed as visitors see it.
func (r Removed) Replaced() (site.File, bool) {
	if _, there := r.Release.Find(r.Path); there {
		return site.File{}, false
	}
	return r.at(r.urlOf(r.Path))
}

// SameURL reports whether the release has a page at the very URL of the removed path, so that
// the page says all that can be said of the path.
func (r Removed) SameURL() bool {
	f, ok := r.Replaced()
	return ok && r.Style.URLPath(f.Path) == r.Style.URLPath(r.Path)
}

// urlOf returns the decoded URL path of a file below the origin's base, without its last slash.
func (r Removed) urlOf(path string) string {
	decoded, err := url.PathUnescape(r.Style.URLPath(path))
	if err != nil {
		return path // never: URLPath encodes well
	}
	return strings.TrimSuffix(decoded, "/")
}

// at finds the page of the release at a URL path as urlOf returns it.
func (r Removed) at(urlPath string) (site.File, bool) {
	for _, path := range []string{urlPath, urlPath + ".html", strings.TrimPrefix(urlPath+"/index.html", "/")} {
		if f, ok := r.Release.Find(path); ok && r.urlOf(path) == urlPath {
			return f, true
		}
	}
	return site.File{}, false
}

// refusesToList reports whether 403 may be what servers answer for a folder that has files of
// the release and no page of its own.
func (r Removed) refusesToList(status int) bool {
	at := r.Style.URLPath(r.Path)
	return status == http.StatusForbidden && (at == "" || strings.HasSuffix(at, "/")) && r.Release.HasFolder(r.urlOf(r.Path))
}

// movedOn reports whether a redirect leads from the removed path to another page.
func (r Removed) movedOn(o site.Observation) bool {
	from, err := url.Parse(o.URL)
	if err != nil || o.Header.Get("Location") == "" {
		return false
	}
	to, err := from.Parse(o.Header.Get("Location"))
	if err != nil || to.Scheme != "http" && to.Scheme != "https" || !strings.EqualFold(to.Host, from.Host) || to.Path == from.Path {
		return false
	}
	if pageOf(to) != pageOf(from) || to.Path == from.Path+"/" && r.Release.HasFolder(r.urlOf(r.Path)) {
		return true
	}
	base := strings.TrimSuffix(strings.TrimSuffix(from.Path, "/"), r.urlOf(r.Path))
	below, ok := strings.CutPrefix(to.Path, base)
	if ok {
		_, ok = r.at(strings.TrimSuffix(below, "/"))
	}
	return ok
}

// pageOf is a URL's path without what servers add to a page's name, or take from it: where
// one such leads to another, the page may still be there.
func pageOf(u *url.URL) string {
	path := strings.TrimSuffix(u.Path, "/")
	path = strings.TrimSuffix(strings.TrimSuffix(path, ".html"), "/index")
	return strings.TrimSuffix(path, "/")
}
