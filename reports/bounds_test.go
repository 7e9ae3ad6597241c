package reports

import (
	"testing"
	"time"
)

// TestBoundsAreNeverShownTighter rounds a lower bound down and an upper one up.
func TestBoundsAreNeverShownTighter(t *testing.T) {
	for _, c := range []struct {
		bound         time.Duration
		lower, higher string
	}{
		{0, "0ms", "0ms"},
		{748900 * time.Microsecond, "748ms", "749ms"},
		{748 * time.Millisecond, "748ms", "748ms"},
		{999100 * time.Microsecond, "999ms", "1.00s"},
		{1996 * time.Millisecond, "1.99s", "2.00s"},
		{59999 * time.Millisecond, "59.99s", "1m0s"},
		{90400 * time.Millisecond, "1m30s", "1m31s"},
	} {
		if lower, higher := atLeast(Millis(c.bound)), atMost(Millis(c.bound)); lower != c.lower || higher != c.higher {
			t.Errorf("%s: got %s and %s, want %s and %s", c.bound, lower, higher, c.lower, c.higher)
		}
	}
}
