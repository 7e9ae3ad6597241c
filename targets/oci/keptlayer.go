package oci

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mirror/site"
	"mirror/targets/oci/internal/image"
)

// keptLayer makes the layer of what is kept of the live image, nil where there is nothing. The
// release's own paths and its beacon are never in it, so it can lie on top of the site's layer.
func (t *Target) keptLayer(ctx context.Context, rel *site.Release, r recipe, live *head) (staying, *image.Blob, error) {
	if live == nil || len(t.keeps) == 0 && !t.stays.On() && len(live.grace()) == 0 {
		return staying{}, nil, nil
	}
	held, err := t.held(ctx, live)
	if err != nil {
		return staying{}, nil, err
	}
	kept, err := t.keptOf(rel, live, held.Files)
	if err != nil || len(kept.files) == 0 {
		return staying{}, nil, err
	}
	layer, err := t.copyKept(ctx, live, r.WebRoot, kept.files)
	if err != nil {
		return staying{}, nil, fmt.Errorf("keep files of %s@%s: %w", t.tag.Context(), live.digest(), err)
	}
	return kept, layer, nil
}

// copyKept reads the kept files from the live image's layers, from the top down to the last one
// that is needed.
func (t *Target) copyKept(ctx context.Context, live *head, webRoot string, kept site.Manifest) (_ *image.Blob, err error) {
	img, err := t.platformImage(ctx, live.desc)
	if err != nil {
		return nil, err
	}
	if img == nil {
		return nil, errors.New("it is not an image")
	}
	root, _, err := t.whereabouts(live, img)
	if err != nil {
		return nil, err
	}
	files, err := image.NewCopied(root, pathsOf(kept), t.maxKept)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	tree := image.NewTree(root, t.limits)
	tree.Copy(files)
	_, err = t.stack(ctx, img, tree, func() bool { return files.Complete() || tree.Complete() })
	if err != nil {
		return nil, err
	}
	return image.WriteBlob(t.cfg.compression, func(w io.Writer) error { return files.Layer(ctx, w, webRoot) })
}
