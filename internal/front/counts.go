package front

import (
	"sync/atomic"
)

// counts are what a front has done since it was started.
type counts struct {
	requests atomic.Int64
	cached   atomic.Int64 // bodies from memory or disk
	fetched  atomic.Int64 // contents from origins
	failures atomic.Int64 // requests that no origin could answer
	wrong    atomic.Int64 // answers of origins that were not passed on, or came with wrong headers
	moves    atomic.Int64
	hints    atomic.Int64 // of publishes, that had an effect
	streams  atomic.Int64 // bodies that were sent while they were compared
	cuts     atomic.Int64 // of those, the ones that were cut
}
