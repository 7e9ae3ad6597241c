package check

import (
	"slices"

	"mirror/diff"
)

// unlearn takes for drift again what looked like noise and is of an earlier release: two
// backends that take turns, and are both behind, also answer otherwise each time.
func (v *visit) unlearn(story diff.Chronicle) {
	v.noise = slices.DeleteFunc(v.noise, func(n noise) bool {
		for _, d := range n.answers {
			d.Origin = v.at.Name
			if story.Name(&d); d.Kind == diff.Stale {
				v.verdict.Add(d)
				return true
			}
		}
		return false
	})
}

// noisy lists the paths that are noise.
func (v *visit) noisy() []string {
	var paths []string
	for _, n := range v.noise {
		paths = append(paths, n.answers[0].Path)
	}
	slices.Sort(paths)
	return paths
}
