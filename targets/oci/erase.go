package oci

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// Erase makes the live image anew from the base and one layer of the site, since a file that was deleted can be read in a
// lower layer still, and deletes the tags of all other releases. The registry frees the space in its own time.
func (t *Target) Erase(ctx context.Context, e targets.Erasure) (left []string, err error) {
	left = []string{"blobs and images without a tag that the registry keeps until its garbage collection", "images that were pulled already"}
	t.staging.Lock()
	defer t.staging.Unlock()
	if err = t.compact(ctx, e); err != nil {
		return nil, err
	}
	if err := t.notePurged(ctx, e.Live.ID()); err != nil {
		return nil, err
	}
	if err := t.untagOthers(ctx, e.Live.ID()); err != nil {
		return nil, err
	}
	return left, nil
}

// compact replaces the live image by one that has nothing below the release.
func (t *Target) compact(ctx context.Context, e targets.Erasure) error {
	now, err := t.lookAround(ctx, e.Live)
	if err != nil {
		return err
	}
	if now.live.release() != e.Live.ID() {
		return fmt.Errorf("%s is not release %s: %w", t.tag, e.Live.ID().Short(), targets.ErrConflict)
	}
	held, err := t.held(ctx, now.live)
	if err != nil {
		return err
	}
	gone, err := t.erasedContent(ctx, e, held.Files)
	if err != nil {
		return err
	}
	before, err := t.liveList(ctx, now.live)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	rel := *e.Live
	rel.Sequence = now.live.sequence()
	kept, top, removed, err := t.keptWithout(ctx, &rel, now, held.Files, func(f site.File) bool {
		_, out := gone[f.Digest]
		return out || slices.Contains(e.Paths, f.Path)
	})
	if top != nil {
		defer top.Close()
	}
	if err != nil || !removed && now.live.labels[labelLayers] == "" {
		return err
	}
	s := sending{rel: &rel, seen: now, before: list{}, past: before.past, kept: kept, top: top}
	if err := t.sendWhole(ctx, s, false); err != nil {
		return err
	}
	return t.replace(ctx, now.live, rel.ID())
}

// replace moves the live tag to the image that was just staged.
func (t *Target) replace(ctx context.Context, live *head, id site.ID) error {
	staged, err := t.stagedFor(ctx, id)
	if err != nil {
		return err
	}
	now, err := t.look(ctx, t.tag)
	if err != nil {
		return err
	}
	if now.digest() != live.digest() {
		return conflict(t, now, live.digest())
	}
	return t.move(ctx, staged.image)
}

// erasedContent returns the content that the paths had, by the lists of all releases and in the live image.
func (t *Target) erasedContent(ctx context.Context, e targets.Erasure, held site.Manifest) (map[site.Digest]string, error) {
	all := []site.Manifest{held}
	lists, err := t.lists(ctx)
	if err != nil {
		return nil, err
	}
	reader := t.newListReader()
	for _, l := range lists {
		m, err := reader.read(ctx, l)
		if err == nil {
			all = append(all, m)
		} else if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return e.Digests(all), nil
}

// keptWithout makes the layer of the files that stay beside the live release, without some of them, and reports
// whether there were any of those.
func (t *Target) keptWithout(ctx context.Context, rel *site.Release, now seen, held site.Manifest, out func(f site.File) bool) (kept staying, top *image.Blob, removed bool, err error) {
	kept, err = t.keptOf(rel, now.live, held)
	if err != nil {
		return kept, nil, false, err
	}
	all := len(kept.files)
	kept.files = slices.DeleteFunc(kept.files, out)
	kept.grace = kept.grace.Without(func(path string) bool { _, there := kept.files.Find(path); return !there })
	if removed = len(kept.files) < all; len(kept.files) == 0 {
		return kept, nil, removed, nil
	}
	top, err = t.copyKept(ctx, now.live, now.recipe.WebRoot, kept.files)
	return kept, top, removed, err
}

// untagOthers deletes the tags of the images of all releases but one. Where the registry deletes no tags, they name an
// image of nothing.
func (t *Target) untagOthers(ctx context.Context, live site.ID) error {
	tags, err := t.reg.tags(ctx, t.tag.Context())
	if err != nil {
		return err
	}
	for _, text := range tags {
		id, ours := stagedRelease(text)
		if !ours || id == live {
			continue
		}
		tag := t.tag.Context().Tag(text)
		deleted, err := t.reg.untag(ctx, tag)
		if err == nil && !deleted {
			err = t.vacate(ctx, tag)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// vacate has a tag name an image of nothing.
func (t *Target) vacate(ctx context.Context, tag name.Tag) error {
	none, err := noneImage()
	if err != nil {
		return err
	}
	up, err := t.newUpload(ctx, none, nil)
	if err != nil {
		return err
	}
	_, err = up.push(ctx, tag)
	return err
}
