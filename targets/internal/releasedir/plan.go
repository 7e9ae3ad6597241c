package releasedir

import (
	"slices"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
)

// Served is what lies in the folder that is live.
type Served struct {
	Files site.Manifest // the site's; without a digest what is of no release
	Kept  []string      // paths of what is kept beside it, in path order
}

// Plan compares what is live with a release. The caller adds what else it knows: the sequence, and whether the
// files to delete are foreign.
func Plan(live targets.Live, held Served, g Grace, keep targets.Keep, rel *site.Release) (targets.Plan, error) {
	kept := slices.DeleteFunc(held.Kept, func(path string) bool { return g.Now.Has(path) && !keep.Match(path) })
	if err := keep.Clash(rel, kept); err != nil {
		return targets.Plan{}, err
	}
	plan := targets.Plan{Live: live, Kept: kept, Changes: diff.Manifests(held.Files, rel.Manifest)}
	plan.StaysInGrace(g.Next.Without(func(path string) bool {
		e, _ := g.Next.Find(path)
		f, _ := held.Files.Find(path)
		return f.Digest != e.Digest && !g.Now.Has(path) // it is gone, or was altered
	}))
	plan.CountBytes(rel.Manifest)
	return plan, nil
}
