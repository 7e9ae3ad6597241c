// Package longtest marks the tests that `go test -short` leaves out.
package longtest

import "testing"

// Skip skips a test under -short. what says what takes its time.
func Skip(t testing.TB, what string) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: " + what)
	}
}
