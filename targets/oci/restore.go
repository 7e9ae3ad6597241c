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

// Restore reads the image of a release, for this machine's platform. The files of the site are copied to
// a temporary file.
func (t *Target) Restore(ctx context.Context, id site.ID) (targets.Restored, error) {
	h, err := t.look(ctx, t.stagedTag(id))
	if err == nil && h.release() != id {
		if h, err = t.look(ctx, t.tag); err == nil && h.release() != id {
			err = targets.ErrNotHeld
		}
	}
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", id.Short(), err)
	}
	r, err := t.restore(ctx, h, id)
	if err != nil {
		return nil, fmt.Errorf("restore %s from %s: %w", id.Short(), h.digest(), err)
	}
	return r, nil
}

func (t *Target) restore(ctx context.Context, h *head, id site.ID) (*restored, error) {
	own, err := t.filesOf(ctx, h, id)
	if err != nil {
		return nil, err
	}
	img, err := t.platformImage(ctx, h.desc)
	if err != nil {
		return nil, err
	}
	if img == nil {
		return nil, fmt.Errorf("it has no image for this machine's platform: %w", targets.ErrNotHeld)
	}
	root, beacon, err := t.whereabouts(h, img)
	if err != nil {
		return nil, err
	}
	content, err := image.NewCopied(root, pathsOf(own), t.limits.Bytes)
	if err != nil {
		return nil, err
	}
	tree := image.NewTree(root, t.limits)
	tree.Copy(content)
	_, err = t.stack(ctx, img, tree, tree.Complete)
	m := slices.DeleteFunc(tree.Files(beacon), func(f site.File) bool { _, ours := own.Find(f.Path); return !ours })
	if err == nil && m.ID() != id {
		err = fmt.Errorf("the image has other files: %w", targets.ErrNotHeld)
	}
	if err != nil {
		return nil, errors.Join(err, content.Close())
	}
	return &restored{m, content}, nil
}

// filesOf lists the files of a release, from the list beside its image or from the image.
func (t *Target) filesOf(ctx context.Context, h *head, id site.ID) (site.Manifest, error) {
	if l, err := t.list(ctx, id); err == nil {
		if m, err := t.readList(ctx, l); err == nil {
			return m, nil
		}
	}
	held, err := t.read(ctx, h)
	if err != nil {
		return nil, err
	}
	return t.ownFiles(ctx, h, held.Files)
}
