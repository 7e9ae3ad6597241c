//go:build race

package origin_test

import "time"

// late is how much longer than its deadline anything may take: more where the race detector
// slows down what unpacks bombs, beside other tests.
const late = 5 * time.Second
