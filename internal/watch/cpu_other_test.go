//go:build !unix

package watch_test

import (
	"testing"
	"time"
)

// cpu cannot be measured here.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	tb.Skip("the time of the processor is measured on Unix only")
	return 0
}
