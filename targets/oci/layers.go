package oci

import (
	"context"
	"fmt"
	"io"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/site"
	"mirror/targets/oci/internal/image"
)

// maxLayers bounds the layers of an image that is read.
const maxLayers = 1000

// held tells what is in an image, without reading one that this machine made.
func (t *Target) held(ctx context.Context, h *head) (record, error) {
	if h == nil {
		return record{}, nil
	}
	if r, ok := t.recorded(fromStage, h.digest()); ok {
		return r, nil
	}
	if r, ok := t.formerly(fromStage, h.digest()); ok {
		r.Depth = 1 // the site was in one layer
		if h.labels[labelKept] != "" {
			r.Depth++
		}
		return r, nil
	}
	return t.read(ctx, h)
}

func (t *Target) read(ctx context.Context, h *head) (record, error) {
	if r, ok := t.recorded(fromBytes, h.digest()); ok {
		return r, nil
	}
	r, err := t.readLayers(ctx, h)
	if err != nil {
		return record{}, fmt.Errorf("read back %s@%s: %w", t.tag.Context(), h.digest(), err)
	}
	t.keep(fromBytes, h.digest(), r)
	return r, nil
}

func (t *Target) readLayers(ctx context.Context, h *head) (record, error) {
	img, err := t.platformImage(ctx, h.desc)
	if err != nil || img == nil {
		return record{}, err
	}
	root, beacon, err := t.whereabouts(h, img)
	if err != nil {
		return record{}, err
	}
	files := image.NewTree(root, t.limits)
	depth, err := t.stack(ctx, img, files, files.Complete)
	if err != nil {
		return record{}, err
	}
	if !files.Plain() {
		depth = 0
	}
	return record{Files: files.Files(beacon), Depth: depth}, nil
}

// stack adds an image's layers to a tree, from the top down until done, and returns how many.
func (t *Target) stack(ctx context.Context, img v1.Image, tree *image.Tree, done func() bool) (depth int, err error) {
	manifest, err := img.Manifest()
	if err != nil {
		return 0, err
	}
	if len(manifest.Layers) > maxLayers {
		return 0, fmt.Errorf("the image has %d layers, more than the %d that are read", len(manifest.Layers), maxLayers)
	}
	for i := len(manifest.Layers) - 1; i >= 0 && !done(); i-- {
		if err := t.readLayer(ctx, tree, manifest.Layers[i]); err != nil {
			return 0, err
		}
		depth++
	}
	return depth, nil
}

// whereabouts returns where the image has its site and its beacon: as its labels say,
// which an image built on ours inherits, else as the config says.
func (t *Target) whereabouts(h *head, img v1.Image) (root, beacon string, err error) {
	labels := h.labels
	if labels == nil {
		cf, err := configFile(img)
		if err != nil {
			return "", "", err
		}
		labels = cf.Config.Labels
	}
	if root = labels[labelWebRoot]; !path.IsAbs(root) || path.Clean(root) != root {
		root = t.cfg.webRoot
	}
	beacon, ok := labels[labelBeacon]
	if !ok {
		beacon = site.DefaultBeacon
	}
	return root, beacon, nil
}

// readLayer adds a layer to the tree. It reads to the very end, where the digest is checked.
func (t *Target) readLayer(ctx context.Context, files *image.Tree, d v1.Descriptor) error {
	layer, err := t.reg.puller.Layer(ctx, t.tag.Context().Digest(d.Digest.String()))
	if err != nil {
		return err
	}
	packed, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer packed.Close()
	bounded := &io.LimitedReader{R: packed, N: d.Size + 1}
	plain, err := image.Decompress(bounded)
	if err != nil {
		return err
	}
	defer plain.Close()
	if err := files.Layer(plain); err != nil {
		return err
	}
	if _, err = io.Copy(io.Discard, bounded); err == nil && bounded.N <= 0 {
		err = fmt.Errorf("layer %s is longer than the %d bytes that its manifest says", d.Digest, d.Size)
	}
	return err
}
