package diff

import (
	"net/http"

	"mirror/site"
)

// Expectation is what the release says of one path.
type Expectation struct {
	File site.File
	// Absent says that the release has no such path; it is asked for since a target
	// stores it, or an earlier release had it.
	Absent bool
	// Removed is what tells that an Absent path is gone at the origin; nil where nothing is
	// known beside its answer.
	Removed *Removed
	// NotFound says that the path is one that never existed, to see how the origin says
	// so. File.Digest is then the not-found page's, zero where the site has none.
	NotFound bool
	// Folder says that the path is asked for without the slash of a folder, and File is the
	// page of that folder: servers lead there, and some show a host name that they should not.
	Folder bool
	// Redirect is where File, which stands for a redirect, leads to, relative to its page; "" for another file. An
	// origin that answers with that redirect by itself is right, too.
	Redirect string
}

// has reports whether a status is the one under which the bytes of the path count.
func (e Expectation) has(status int) bool {
	if e.NotFound {
		return isGone(status)
	}
	return status == http.StatusOK
}

// gone reports whether an answer shows that an Absent path is gone.
func (e Expectation) gone(o site.Observation) bool { return e.Absent && Gone(o, e.removed()) }

func (e Expectation) removed() Removed {
	if e.Removed == nil {
		return Removed{Path: e.File.Path}
	}
	return *e.Removed
}
