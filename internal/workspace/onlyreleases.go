package workspace

import (
	"fmt"
	"slices"
	"strings"

	"mirror/internal/staged"
)

// OnlyReleases leaves those of the releases whose ID begins with prefix. It is an error where there is none.
func OnlyReleases(prefix string, held []HeldRelease, waiting []staged.Release) ([]HeldRelease, []staged.Release, error) {
	other := func(id string) bool { return !strings.HasPrefix(id, strings.ToLower(prefix)) }
	found := slices.DeleteFunc(slices.Clone(held), func(h HeldRelease) bool { return other(string(h.Release)) })
	staged := slices.DeleteFunc(slices.Clone(waiting), func(r staged.Release) bool { return other(string(r.Release)) })
	if len(found)+len(staged) == 0 {
		return nil, nil, usage(fmt.Errorf("no target holds a release %s (hint: %s)", prefix, candidates(restorable(held))))
	}
	return found, staged, nil
}
