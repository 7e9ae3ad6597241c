package watch

import (
	"net/http"

	"mirror/site"
)

// tells reports whether an answer says what the page is, or that it is not there.
func tells(o site.Observation) bool {
	return o.Err == nil && (o.Status == http.StatusOK || o.Status == http.StatusNotFound || o.Status == http.StatusGone)
}

// content is the digest of a page, zero where it is not there.
func content(o site.Observation) site.Digest {
	if o.Status != http.StatusOK {
		return site.Digest{}
	}
	return o.Digest
}

// refuses reports whether an answer asks to be asked less.
func refuses(o site.Observation) bool {
	return o.Status == http.StatusForbidden || o.Status == http.StatusTooManyRequests || o.Status == http.StatusServiceUnavailable
}
