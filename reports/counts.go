package reports

import (
	"fmt"
	"mirror/diff"
	"strings"
)

// NoCounts is what Counts says where nothing drifts.
const NoCounts = "none"

// Counts lists how many pages drift in which way, most telling first.
func Counts(m map[diff.Kind]int) string {
	var parts []string
	for _, k := range diff.Kinds() {
		if m[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", m[k], k))
		}
	}
	if len(parts) == 0 {
		return NoCounts
	}
	return strings.Join(parts, ", ")
}
