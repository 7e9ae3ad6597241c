package main

import "testing"

// long skips a test under -short, and says what takes its time.
func long(t *testing.T, what string) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: " + what)
	}
}
