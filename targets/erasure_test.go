package targets_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
)

// TestPurgedIsBounded reads a record of purged releases that others have written: what is no release is left out, and the
// latest ones stay.
func TestPurgedIsBounded(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	var all targets.Purged
	for n := range 3 * targets.MaxPurged {
		all = all.With([]site.ID{site.ID(fmt.Sprintf("%064x", n))}, at.Add(time.Duration(n)*time.Second))
	}
	if latest := all.Latest(); len(latest) != targets.MaxPurged || latest[0] != site.ID(fmt.Sprintf("%064x", 3*targets.MaxPurged-1)) {
		t.Errorf("got %d releases, the first %v", len(latest), latest[0])
	}
	if len(all.Encode()) > targets.MaxPurgedBytes {
		t.Errorf("%d bytes", len(all.Encode()))
	}
	if read := targets.DecodePurged(all.Encode()); !maps.Equal(read, all) {
		t.Errorf("read %v", read)
	}
	for _, text := range []string{"", "[]", `{"x":"2026-11-22T01:02:03Z"}`, `{"` + strings.Repeat("a", 64) + `":1}`, strings.Repeat(" ", targets.MaxPurgedBytes+1)} {
		if read := targets.DecodePurged([]byte(text)); len(read) > 0 {
			t.Errorf("%.20q: %v", text, read)
		}
	}
}
