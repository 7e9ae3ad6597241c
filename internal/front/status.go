package front

import (
	"io"
	"sync/atomic"
)

// counts are what a front has done since it was started.
type counts struct {
	requests atomic.Int64
	cached   atomic.Int64 // bodies from memory or disk
	fetched  atomic.Int64 // contents from origins
	failures atomic.Int64 // requests that no origin could answer
	wrong    atomic.Int64 // answers of origins that were not passed on
	moves    atomic.Int64
}

// copyTo sends a large body.
func copyTo(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, r) }
