package check

import (
	"slices"

	"mirror/diff"
)

// noise is a page that differs, by two reads that also differ from each other.
type noise [2]diff.Difference

// split takes out of the noise what is of an earlier release by either of its reads: two
// backends that answer by turns, and are both behind, also differ on every request. It is stale
// then, and no noise.
func split(all []noise, releases diff.Chronicle, origin string) (rest []noise, stale []diff.Difference) {
	rest = slices.DeleteFunc(all, func(n noise) bool {
		for _, d := range n {
			d.Origin = origin
			if releases.Name(&d); d.Kind == diff.Stale {
				stale = append(stale, d)
				return true
			}
		}
		return false
	})
	return rest, stale
}

// pathsOf lists the paths that are noise.
func pathsOf(all []noise) []string {
	var paths []string
	for _, n := range all {
		paths = append(paths, n[0].Path)
	}
	slices.Sort(paths)
	return paths
}
