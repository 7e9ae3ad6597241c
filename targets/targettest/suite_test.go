package targettest

import (
	"slices"
	"testing"
)

// TestCasesThatAreNamed says that the lists of cases name cases.
func TestCasesThatAreNamed(t *testing.T) {
	for _, name := range slices.Concat(core, ofServers) {
		if !slices.ContainsFunc(cases, func(c testCase) bool { return c.name == name }) {
			t.Errorf("there is no case %q", name)
		}
	}
}
