package oci

import (
	"context"
	"net/http"
	"slices"

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
	now, err := t.lookAround(ctx, rel)
	if err != nil {
		return targets.Plan{}, err
	}
	h := now.live
	held, lost, err := t.heldOrLost(ctx, h)
	if err != nil {
		return targets.Plan{}, err
	}
	t.planned.put(rel.ID(), now)
	kept, err := t.keptOf(rel, h, held.Files)
	if err != nil {
		return targets.Plan{}, err
	}
	plan := targets.Plan{Live: h.live(), Changes: diff.Manifests(without(held.Files, kept.files), rel.Manifest), Kept: pathsOf(kept.files), Sequence: h.sequence()}
	plan.StaysInGrace(kept.grace)
	plan.Changes.Delete = slices.DeleteFunc(plan.Changes.Delete, h.grace().Has) // their time is over
	plan.Foreign = t.foreign(ctx, h, held.Files, plan.Changes.Delete)
	if h.release() == rel.ID() && (lost || h.labels[labelConfig] != now.recipe.digest() || t.rollout.owed(h.digest())) {
		plan.Live.Release = site.None
	}
	if plan.Live.Release != rel.ID() {
		plan.Bytes, err = t.bytesOf(ctx, rel, now)
	}
	return plan, err
}

// bytesOf returns how much content the layer has that a staging of the release would send, before it is
// compressed.
func (t *Target) bytesOf(ctx context.Context, rel *site.Release, now seen) (int64, error) {
	below, err := t.chainOf(ctx, now.live, now.recipe.WebRoot)
	if err != nil {
		return 0, err
	}
	if below != nil {
		delta := image.Difference(below.files, below.beside, rel)
		if !below.tooDeep(delta, rel) {
			bytes := delta.Bytes()
			for _, text := range rel.Beside() {
				bytes -= int64(len(text))
			}
			return bytes, nil
		}
	}
	return rel.Manifest.Bytes(), nil
}

// heldOrLost tells what the live image holds, or that the registry has lost a part of it: then nothing
// of it is known, and the site is to be sent again. Where files are kept it is an error, since theirs
// would be lost for good.
func (t *Target) heldOrLost(ctx context.Context, h *head) (held record, lost bool, err error) {
	held, err = t.held(ctx, h)
	if !isStatus(err, http.StatusNotFound) || len(t.keeps) > 0 {
		return held, false, err
	}
	t.log.Warn("the registry has lost a part of the live image", "target", t.tag.String(), "err", err)
	return record{}, true, nil
}
