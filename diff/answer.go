package diff

import (
	"net/http"

	"mirror/site"
)

// Answer is what one origin answered for one page, as far as origins without a release are
// compared by it.
type Answer struct {
	Origin   string
	URL      string
	Status   int         // 0 where nothing came
	Digest   site.Digest // of the decoded body
	Hostless site.Digest // of the body with its links to the origin's own host taken for relative ones; Digest where it has none
	Size     int64       // of the decoded body in bytes, 0 where unknown
	Type     string      // the Content-Type
	Attached bool        // Content-Disposition has browsers store it and not show it
	Location string      // of a redirect, or of the Refresh header of a page, as sent
	Target   string      // where that leads: below the origin's own base, else a whole URL
	Away     bool        // it leaves the origin's own base
	// Removed is what tells by Gone whether a refusal such as 403 says that the page is not there;
	// nil where nothing is known beside the answer. The release is the pages that are compared.
	Removed  *Removed
	Unsteady bool // the bytes are others on each read
	Err      error
}

// stand is what an answer says of its page.
type stand int

const (
	failed stand = iota // nothing that could be judged
	noPage              // there is no such page
	moved               // it is elsewhere
	served
)

func (a Answer) stands() stand {
	switch {
	case a.Err != nil:
		return failed
	case isRedirect(a.Status):
		return moved
	case a.Status >= 200 && a.Status < 300:
		return served
	case isGone(a.Status), a.closed(), a.refused():
		return noPage
	}
	return failed
}

// closed reports whether there is no such page for visitors who have not logged in.
func (a Answer) closed() bool {
	return a.Status == http.StatusUnauthorized && a.Removed != nil && a.Removed.Absence.Serves
}

// refused reports whether a refusal says that the page is not there.
func (a Answer) refused() bool {
	return a.Removed != nil && IsRefusal(a.Status) && Gone(site.Observation{Path: a.Removed.Path, URL: a.URL, Status: a.Status}, *a.Removed)
}

// Judged reports whether an answer says anything of its page.
func (a Answer) Judged() bool { return a.stands() != failed }

// Same reports whether two answers say the same of the page at path: its bytes, and how
// browsers take them; where it leads; or that it is not there.
func (a Answer) Same(path string, b Answer) bool {
	switch a.stands() {
	case served:
		return b.stands() == served && a.Status == b.Status && a.Target == b.Target && sameBytes(a, b) &&
			a.rendering(path) == b.rendering(path)
	case moved:
		return b.stands() == moved && a.Target == b.Target
	}
	return a.stands() == b.stands()
}

// rendering is what a browser makes of the answer as the page at path.
func (a Answer) rendering(path string) string { return renderedAs(path, a.Type, a.Attached) }

func sameBytes(a, b Answer) bool {
	return a.Digest == b.Digest || !a.Hostless.IsZero() && a.Hostless == b.Hostless
}
