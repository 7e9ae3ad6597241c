package oci

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/targets/oci/internal/image"
)

// maxContentLayers bounds the compressed bytes that are read for the content of single files: they lie
// inside layers, which can only be read whole.
const maxContentLayers = 64 << 20

// ReadContents reads the live image's layers from the top down to the last one that is needed, up to
// maxContentLayers.
func (t *Target) ReadContents(ctx context.Context, paths []string, limit int64) (map[string][]byte, error) {
	h, err := t.look(ctx, t.tag)
	if err != nil || h == nil {
		return nil, err
	}
	img, err := t.platformImage(ctx, h.desc)
	if err != nil || img == nil {
		return nil, err
	}
	contents, err := t.contentsOf(ctx, h, img, paths, limit)
	if err != nil {
		return nil, fmt.Errorf("read files of %s@%s: %w", t.tag.Context(), h.digest(), err)
	}
	return contents.Files(), nil
}

func (t *Target) contentsOf(ctx context.Context, h *head, img v1.Image, paths []string, limit int64) (*image.Contents, error) {
	root, _, err := t.whereabouts(h, img)
	if err != nil {
		return nil, err
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	contents, tree, left := image.NewContents(paths, limit), image.NewTree(root, t.limits), int64(maxContentLayers)
	tree.Copy(contents)
	for i := len(manifest.Layers) - 1; i >= 0 && !contents.Complete() && !tree.Complete(); i-- {
		if left -= manifest.Layers[i].Size; left < 0 {
			break
		}
		if err := t.readLayer(ctx, tree, manifest.Layers[i]); err != nil {
			return nil, err
		}
	}
	return contents, nil
}
