package oci

import (
	"context"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// Live returns the release whose image the tag names, and its digest. An image that was
// built on ours, or put together by others, is no release.
func (t *Target) Live(ctx context.Context) (targets.Live, error) {
	h, err := t.look(ctx, t.tag)
	if err != nil {
		return targets.Live{}, err
	}
	return h.live(), nil
}

// Plan compares the live image's files with the release's. Where the files agree but the
// image was made from another base, another server or other settings, or was never rolled
// out, it says that no release is live, so that a publish moves the tag all the same.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	if err := image.Refuse(rel); err != nil {
		return targets.Plan{}, err
	}
	r, err := t.recipeFor(ctx, rel)
	if err != nil {
		return targets.Plan{}, err
	}
	h, err := t.look(ctx, t.tag)
	if err != nil {
		return targets.Plan{}, err
	}
	held, err := t.held(ctx, h)
	if err != nil {
		return targets.Plan{}, err
	}
	kept, err := t.keptOf(rel, held)
	if err != nil {
		return targets.Plan{}, err
	}
	plan := targets.Plan{Live: h.live(), Changes: diff.Manifests(without(held, kept), rel.Manifest), Kept: pathsOf(kept)}
	for _, changed := range [][]string{plan.Changes.Add, plan.Changes.Change} {
		for _, p := range changed {
			f, _ := rel.Manifest.Find(p)
			plan.Bytes += f.Size
		}
	}
	plan.Foreign = t.foreign(ctx, h, held, plan.Changes.Delete)
	if h.release() == rel.ID() && (h.labels[labelConfig] != r.digest() || t.rollout.owed(h.digest())) {
		plan.Live.Release = site.None
	}
	return plan, nil
}
