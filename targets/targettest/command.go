package targettest

import (
	"os"
	"strings"
	"testing"
)

// Place is the one place of a config, which authors of targets try the suite on.
type Place struct {
	Fixture // without Put and Fixture.Kept, which a config cannot tell
	// Reset empties the place. Nil where it cannot be emptied: then the cases that begin with an empty
	// place are left out.
	Reset func() error
}

// anywhere are the cases that do not begin with an empty place.
const anywhere = `
next release
odd names
file turns into folder and back
mass delete
earlier release again
stage has no visible effect
stage again
commit of what is not staged
commit from another process
commit again
stale swap
rollback
rollback of what never happened
rollback refuses a third state
reserved
concurrent use
readers during commit
`

// Main runs the suite on a place, prints what each case found as go test does, and ends the process: with 0 where
// all cases passed, else with 1.
func Main(p Place) {
	p.Put = func(t *testing.T, _ map[string][]byte) {
		t.Helper()
		t.Skip("files cannot be changed behind the target's back here")
	}
	tests := make([]testing.InternalTest, 0, len(cases))
	for _, c := range cases {
		tests = append(tests, testing.InternalTest{Name: c.name, F: func(t *testing.T) {
			switch {
			case p.Reset != nil:
				if err := p.Reset(); err != nil {
					t.Fatalf("reset: %v", err)
				}
			case !strings.Contains(anywhere, "\n"+c.name+"\n"):
				t.Skip("it begins with an empty place: see --reset")
			}
			c.run(t, p.Fixture)
		}})
	}
	os.Args = []string{os.Args[0], "-test.v"} // package testing reads its flags there
	testing.Main(func(string, string) (bool, error) { return true, nil }, tests, nil, nil)
}
