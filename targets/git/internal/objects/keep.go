package objects

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/targets"
)

// Bounds of the globs that a commit records: whoever may push writes them, and matching takes
// exponential time in the number of alternatives.
const (
	maxGlobs  = 64
	maxGlob   = 256 // bytes
	maxBraces = 4
)

func recordable(glob string) bool {
	return len(glob) <= maxGlob && strings.Count(glob, "{") <= maxBraces && doublestar.ValidatePattern(glob)
}

// CheckKeep refuses globs that a commit would not record.
func CheckKeep(keep targets.Keep) error {
	if len(keep) > maxGlobs {
		return fmt.Errorf("publish.keep: a git target takes at most %d globs", maxGlobs)
	}
	for _, glob := range keep {
		if !recordable(glob) {
			return fmt.Errorf("publish.keep: %q is not a glob that a git target takes: at most %d bytes and %d alternatives in braces", glob, maxGlob, maxBraces)
		}
	}
	return nil
}

// parseKeep reads the globs of a commit.
func parseKeep(recorded []string) targets.Keep {
	recorded = recorded[:min(len(recorded), maxGlobs)]
	return slices.DeleteFunc(recorded, func(glob string) bool { return !recordable(glob) })
}
