package site

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrTooLong is an Observation's error where the body was longer than what was asked for
// can be; reading it ended there.
var ErrTooLong = errors.New("the body is too long")

// ErrBomb is an Observation's error, and an ErrTooLong, where the body was so much smaller as it
// was sent than as it decodes that it was not decoded to its end.
var ErrBomb = fmt.Errorf("encoding bomb: %w", ErrTooLong)

// Observation is what one place answered for one path.
type Observation struct {
	Path   string // manifest path
	URL    string // as asked
	Status int    // of the answer, 0 where none came; redirects are not followed
	Digest Digest // of the decoded body, zero where it was not read to its end
	Raw    Digest // of the body as sent; Digest where it had no Content-Encoding
	Size   int64  // bytes of the decoded body that were read
	Header http.Header
	// Asked is the start of the request and Answered the end of its answer, both with a
	// monotonic reading: the bounds that an inconsistency window is made of.
	Asked, Answered time.Time
	// Recovered says that an earlier answer was another one, and that it was confirmed to be
	// this.
	Recovered bool
	Err       error // why no whole answer came
	// PastCaches is what was answered past the caches that stand in front of the place,
	// where that was asked for too; nil else. It tells an old cache from an old origin.
	PastCaches *Observation
}
