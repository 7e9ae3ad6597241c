package targettest

import "testing"

var cases []struct {
	name string
	run  func(t *testing.T, f Fixture)
}
