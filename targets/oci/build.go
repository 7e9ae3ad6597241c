package oci

import (
	"context"
	"fmt"
	"maps"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/site"
	"mirror/targets/oci/internal/image"
)

// labelsFor returns what an image of the release says of itself, the layer's name apart.
func labelsFor(rel *site.Release, r recipe, kept *image.Blob) map[string]string {
	labels := map[string]string{
		labelRelease: string(rel.ID()),
		labelVersion: string(rel.ID()),
		labelBeacon:  rel.BeaconPath,
		labelWebRoot: r.WebRoot,
		labelConfig:  r.digest(),
	}
	if kept != nil {
		labels[labelKept] = kept.Info.DiffID.String()
	}
	return labels
}

func with(labels map[string]string, key, value string) map[string]string {
	labels = maps.Clone(labels)
	labels[key] = value
	return labels
}

// build makes the image, or the index of images, of a release whose layer is built; kept is nil
// where no files are kept. It also returns the server's own layers, to be closed when the image
// was pushed.
func (t *Target) build(ctx context.Context, rel *site.Release, r recipe, layer, kept *image.Blob) (remote.Taggable, []*image.Blob, error) {
	b := &builder{t: t, recipe: r, top: []*image.Blob{layer}, labels: labelsFor(rel, r, kept), created: image.PublishedAt(rel)}
	if kept != nil {
		b.top = append(b.top, kept)
	}
	images := make([]v1.Image, 0, len(t.cfg.platforms))
	for _, p := range t.cfg.platforms {
		img, err := b.imageFor(ctx, p)
		if err != nil {
			closeAll(b.opened)
			return nil, nil, fmt.Errorf("image for %s: %w", p.String(), err)
		}
		images = append(images, img)
	}
	if len(images) == 1 {
		return images[0], b.opened, nil
	}
	return b.index(images), b.opened, nil
}

type builder struct {
	t       *Target
	recipe  recipe
	top     []*image.Blob // what lies on the base: the site, then what is kept
	labels  map[string]string
	created time.Time
	opened  []*image.Blob // layers of the server itself
}

func closeAll(layers []*image.Blob) {
	for _, l := range layers {
		_ = l.Close() // it was only read
	}
}

func (b *builder) index(images []v1.Image) v1.ImageIndex {
	adds := make([]mutate.IndexAddendum, len(images))
	for i, img := range images {
		adds[i] = mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &b.t.cfg.platforms[i]}}
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	labels := with(b.labels, labelLayer, b.topInfo().Digest.String())
	return mutate.Annotations(mutate.AppendManifests(index, adds...), labels).(v1.ImageIndex)
}

func (b *builder) topInfo() image.Info { return b.top[len(b.top)-1].Info }

// imageFor makes the image for one platform.
func (b *builder) imageFor(ctx context.Context, p v1.Platform) (v1.Image, error) {
	base, err := b.t.baseFor(ctx, b.recipe, b.created, p)
	if err != nil {
		return nil, err
	}
	if base.opened != nil {
		b.opened = append(b.opened, base.opened)
	}
	cf := base.config.DeepCopy()
	adds, history := base.layers, []string{"the site", "kept files"}
	for i, l := range b.top {
		adds = append(adds, mutate.Addendum{Layer: l, MediaType: l.Info.MediaType})
		cf.RootFS.DiffIDs = append(cf.RootFS.DiffIDs, l.Info.DiffID)
		cf.History = append(cf.History, v1.History{Created: v1.Time{Time: b.created}, CreatedBy: "mirror publish", Comment: history[i]})
	}
	img, err := mutate.Append(bareImage(), adds...)
	if err != nil {
		return nil, err
	}
	cf.OS, cf.Architecture, cf.Variant = p.OS, p.Architecture, p.Variant
	cf.Created = v1.Time{Time: b.created}
	cf.RootFS.Type = "layers"
	if cf.Config.Labels == nil {
		cf.Config.Labels = map[string]string{}
	}
	maps.Copy(cf.Config.Labels, with(b.labels, labelLayer, b.topInfo().DiffID.String()))
	if img, err = mutate.ConfigFile(img, cf); err != nil {
		return nil, err
	}
	labels := with(b.labels, labelLayer, b.topInfo().Digest.String())
	return mutate.Annotations(img, labels).(v1.Image), nil
}

// bareImage is the image of nothing, in OCI's media types.
func bareImage() v1.Image {
	return mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
}

// noneImage stands for no image, where the registry will not delete a tag.
func noneImage() (v1.Image, error) {
	cf := &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}}}
	cf.Config.Labels = map[string]string{labelRelease: noRelease}
	img, err := mutate.ConfigFile(bareImage(), cf)
	if err != nil {
		return nil, err
	}
	return mutate.Annotations(img, cf.Config.Labels).(v1.Image), nil
}
