package oci

import (
	"context"
	"slices"

	"mirror/site"
)

// ReadBack lists the files below the web root of the live image, for this machine's
// platform, from the layers that the registry holds, checked against their digests. An
// image that was read before is not read again: its digest names its bytes.
func (t *Target) ReadBack(ctx context.Context) (site.Manifest, error) {
	h, err := t.look(ctx, t.tag)
	if err != nil || h == nil {
		return nil, err
	}
	held, err := t.read(ctx, h)
	if err != nil {
		return nil, err
	}
	return t.ownFiles(ctx, h, held.Files)
}

// ownFiles returns the files of an image that are not kept: those that match no glob, and those
// of the release that it was made from, or built on, as the list beside that says.
func (t *Target) ownFiles(ctx context.Context, h *head, held site.Manifest) (site.Manifest, error) {
	l := h.grace()
	if len(l) == 0 && !slices.ContainsFunc(held, func(f site.File) bool { return t.keeps.Match(f.Path) }) {
		return held, nil
	}
	id, err := t.madeFrom(ctx, h)
	if err != nil {
		return nil, err
	}
	var own site.Manifest
	if id != site.None {
		l, err := t.list(ctx, id)
		if err == nil {
			own, err = t.readList(ctx, l)
		}
		if err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			t.log.Warn("the list of the live release's files cannot be read; all that publish.keep matches counts as kept", "release", id, "err", err)
		}
	}
	kept := t.keeps.Beside(own)
	return slices.DeleteFunc(slices.Clone(held), func(f site.File) bool {
		_, ours := own.Find(f.Path)
		return kept(f.Path) || !ours && l.Has(f.Path)
	}), nil
}

// madeFrom returns the release whose image this is, or was built on.
func (t *Target) madeFrom(ctx context.Context, h *head) (site.ID, error) {
	if id := h.release(); id != site.None {
		return id, nil
	}
	img, err := t.platformImage(ctx, h.desc)
	if err != nil || img == nil {
		return site.None, err
	}
	cf, err := configFile(img)
	if err != nil {
		return site.None, err
	}
	id, err := site.ParseID(cf.Config.Labels[labelRelease])
	if err != nil {
		return site.None, nil
	}
	return id, nil
}
