//go:build unix

package check_test

import (
	"syscall"
	"testing"
	"time"
)

// cpu is what this process has computed so far, in user and system time.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
