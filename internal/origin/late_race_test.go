//go:build race

package origin_test

import "time"

// patience is the timeout of the clients that meet hostile origins, and late how much longer
// than its deadline anything may take: more where the race detector slows down what unpacks
// bombs, beside other tests.
const (
	patience = 2 * time.Second
	late     = 5 * time.Second
)
