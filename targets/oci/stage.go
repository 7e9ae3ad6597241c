package oci

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// Stage pushes the release's image under the tag mirror-<release id>, where another
// process finds it and the registry's garbage collection spares it. Layers that the
// registry holds are not sent, those of a base in the same registry are mounted.
func (t *Target) Stage(ctx context.Context, rel *site.Release, p targets.Progress) error {
	if err := image.Refuse(rel); err != nil {
		return err
	}
	t.staging.Lock()
	defer t.staging.Unlock()
	now, err := t.see(ctx, rel)
	if err != nil {
		return err
	}
	before, err := t.liveList(ctx, now.live)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	past := pastOf(rel.ID(), now.live.release(), before.past) // of a list that cannot be read nothing is known
	kept, top, err := t.keptLayer(ctx, rel, now.recipe, now.live)
	if err != nil {
		return err
	}
	if top != nil {
		defer top.Close()
	}
	staged, err := t.holds(ctx, rel, now, kept, top)
	if err != nil {
		return err
	}
	if staged {
		return t.noteStaging(ctx, rel, past)
	}
	s := sending{rel: rel, seen: now, before: before, past: past, kept: kept, top: top, progress: p}
	if err := t.send(ctx, s); err != nil {
		return fmt.Errorf("stage %s: %w", rel.ID().Short(), errors.Join(ctx.Err(), err))
	}
	return nil
}

// holds reports whether the staged tag names an image of exactly this release, recipe and layer
// of kept files.
func (t *Target) holds(ctx context.Context, rel *site.Release, now seen, kept staying, top *image.Blob) (bool, error) {
	if t.isNew(rel.ID(), now.live) {
		return false, nil
	}
	h, err := t.look(ctx, t.stagedTag(rel.ID()))
	if err != nil || h == nil || h.release() != rel.ID() {
		return false, err
	}
	if h.labels[labelConfig] != now.recipe.digest() || h.labels[labelKept] != labelOfKept(top) {
		return false, nil
	}
	if !sameGrace(h.grace(), kept.grace) {
		return false, nil
	}
	if h.sequence() != rel.Sequence {
		return false, nil // its beacon tells of an earlier publish
	}
	held, err := t.held(ctx, h)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		t.log.Warn("the staged image cannot be read and is made again", "release", rel.ID(), "err", err)
		return false, nil
	}
	return slices.Equal(without(held.Files, kept.files), rel.Manifest), nil
}

// isNew reports whether it is not worth asking if a release is staged: this machine made what is live,
// and never staged that release. Where another machine did, it is staged again.
func (t *Target) isNew(id site.ID, live *head) bool {
	if t.state == "" {
		return false
	}
	if made, ok := t.recorded(fromStage, live.digest()); !ok || made.Layers == nil {
		return false
	}
	_, known := t.recorded(ofRelease, string(id))
	return !known
}
