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

// held lists an image's files, without reading an image that this machine made.
func (t *Target) held(ctx context.Context, h *head) (site.Manifest, error) {
	if h == nil {
		return nil, nil
	}
	if m, ok := t.cached(fromStage, h.digest()); ok {
		return m, nil
	}
	return t.read(ctx, h)
}

func (t *Target) read(ctx context.Context, h *head) (site.Manifest, error) {
	if m, ok := t.cached(fromBytes, h.digest()); ok {
		return m, nil
	}
	m, err := t.readLayers(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("read back %s@%s: %w", t.tag.Context(), h.digest(), err)
	}
	t.keep(fromBytes, h.digest(), m)
	return m, nil
}

func (t *Target) readLayers(ctx context.Context, h *head) (site.Manifest, error) {
	img, err := t.platformImage(ctx, h.desc)
	if err != nil || img == nil {
		return nil, err
	}
	root, beacon, err := t.whereabouts(h, img)
	if err != nil {
		return nil, err
	}
	files := image.NewTree(root, t.limits)
	if err := t.stack(ctx, img, files, files.Complete); err != nil {
		return nil, err
	}
	return files.Files(beacon), nil
}

// stack adds an image's layers to a tree, from the top down until done.
func (t *Target) stack(ctx context.Context, img v1.Image, tree *image.Tree, done func() bool) error {
	manifest, err := img.Manifest()
	if err != nil {
		return err
	}
	for i := len(manifest.Layers) - 1; i >= 0 && !done(); i-- {
		if err := t.readLayer(ctx, tree, manifest.Layers[i]); err != nil {
			return err
		}
	}
	return nil
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
	if root = labels[labelWebRoot]; root == "/" || !path.IsAbs(root) || path.Clean(root) != root {
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
