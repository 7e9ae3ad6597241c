package exec

import (
	"context"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
)

// Plan has the program list what is live, and compares.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	l, err := t.look(ctx, rel.ID())
	if err != nil {
		return targets.Plan{}, err
	}
	held, err := l.Manifest(rel.BeaconPath, l.grace.Without(func(path string) bool { _, own := rel.Manifest.Find(path); return own }).Has)
	if err != nil {
		return targets.Plan{}, err
	}
	plan := targets.Plan{Live: l.live, Changes: diff.Manifests(held, rel.Manifest), Sequence: l.sequence}
	if l.live.Release == site.None && !l.recorded {
		plan.Foreign = plan.Changes.Delete
	}
	plan.CountBytes(rel.Manifest)
	next, err := t.nextGrace(ctx, l, rel.Manifest)
	plan.StaysInGrace(next)
	return plan, err
}
