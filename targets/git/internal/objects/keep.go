package objects

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/targets"
)

// Bounds of the globs that a commit records: everyone who may push can write them, and matching takes
// exponential time in the number of alternatives.
const (
	maxGlobs  = 64
	maxGlob   = 256 // bytes
	maxBraces = 4
)

func recordable(glob string) bool {
	return len(glob) <= maxGlob && strings.Count(glob, "{") <= maxBraces && doublestar.ValidatePattern(glob)
}

// WrongKeep says why a commit would not record the last of these globs, "" where it would.
func WrongKeep(keep targets.Keep) string {
	switch {
	case len(keep) > maxGlobs:
		return fmt.Sprintf("is one glob too many: a git target takes at most %d", maxGlobs)
	case len(keep) > 0 && !recordable(keep[len(keep)-1]):
		return fmt.Sprintf("is not a glob that a git target takes: at most %d bytes and %d alternatives in braces", maxGlob, maxBraces)
	}
	return ""
}

// CheckKeep refuses globs that a commit would not record.
func CheckKeep(keep targets.Keep) error {
	for i := range keep {
		if why := WrongKeep(keep[:i+1]); why != "" {
			return fmt.Errorf("publish.keep: %q %s", keep[i], why)
		}
	}
	return nil
}

// parseKeep reads the globs of a commit.
func parseKeep(recorded []string) targets.Keep {
	recorded = recorded[:min(len(recorded), maxGlobs)]
	return slices.DeleteFunc(recorded, func(glob string) bool { return !recordable(glob) })
}
