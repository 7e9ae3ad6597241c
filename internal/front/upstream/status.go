package upstream

import (
	"time"

	"mirror/diff"
)

// Status is how an origin stands.
type Status struct {
	Open     bool            // its circuit is open
	Reason   diff.Difference // why, where it is open
	P50, P95 time.Duration   // of its answers, 0 while unknown
	Served   int64           // bodies that visitors got
	Failed   int64           // requests that gave no verified body
}

// Status returns how the origin stands now.
func (o *Origin) Status() Status {
	s := Status{Open: o.Open(), P50: o.latency.typical(), P95: o.latency.usual(), Served: o.served.Load(), Failed: o.failed.Load()}
	if s.Open {
		s.Reason = o.breaker.reason()
	}
	return s
}
