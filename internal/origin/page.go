package origin

import (
	"io"
	"net/http"
)

// Page is one path to ask for.
type Page struct {
	Path string // manifest path
	URL  string // below the origin's base, percent-encoded
	Size int64  // of the body that is expected, in bytes
	// BypassCache asks the origin behind its caches: with a query that was never used before, which no cache has an answer for,
	// or with Cache-Control where that is honoured. The error is ErrNoUnique where neither can be done.
	BypassCache bool
	// ETag and Modified, where set, are of the page as it was last verified: Fetch's answer
	// may be 304 then (RFC 9110, section 13.1). FetchFresh, and a request that bypasses the
	// caches, go without them.
	ETag, Modified string
	// Keep, where set, returns for each answer the writer that gets its decoded body, or
	// nil. An error of that writer ends the answer, and is the observation's.
	Keep func(status int, header http.Header) io.Writer
	// KeepSent is like Keep, for the body as it was sent; it is asked only where that is encoded.
	KeepSent func(status int, header http.Header) io.Writer
}

// slack is how much longer than expected a body may be and still be read to its end, so
// that a check can name what it got.
const slack = 1 << 20

func (p Page) limit() int64 { return p.Size + slack }
