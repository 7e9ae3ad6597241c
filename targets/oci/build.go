package oci

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/site"
	"mirror/targets/grace"
	"mirror/targets/oci/internal/image"
)

// top is what lies on the base of an image.
type top struct {
	site   []part      // the site's layers, the lowest first
	stored int64       // bytes of content in them, where there are several
	kept   *image.Blob // the layer of kept files, nil for none
	grace  grace.List  // those of earlier releases among them
}

// part is a layer whose digests are known.
type part struct {
	v1.Layer
	info image.Info
}

func (o top) parts() []part {
	if o.kept == nil {
		return o.site
	}
	return append(slices.Clone(o.site), part{o.kept, o.kept.Info})
}

// labelsFor returns what an image of the release says of itself, the layer's name apart.
func labelsFor(rel *site.Release, r recipe, on top) map[string]string {
	labels := map[string]string{
		labelRelease: string(rel.ID()),
		labelVersion: string(rel.ID()),
		labelBeacon:  rel.BeaconPath,
		labelWebRoot: r.WebRoot,
		labelConfig:  r.digest(),
	}
	if path := rel.SumsPath(); path != "" {
		labels[labelSums] = path
	}
	if rel.Sequence > 0 {
		labels[labelSequence] = strconv.FormatInt(rel.Sequence, 10)
	}
	if on.kept != nil {
		labels[labelKept] = labelOfKept(on.kept)
		if len(on.grace) > 0 {
			labels[labelGrace] = graceLabel(on.grace)
		}
	}
	if n := len(on.site); n > 1 {
		labels[labelLayers], labels[labelStored] = strconv.Itoa(n), strconv.FormatInt(on.stored, 10)
	}
	return labels
}

func labelOfKept(kept *image.Blob) string {
	if kept == nil {
		return ""
	}
	return kept.Info.DiffID.String()
}

func with(labels map[string]string, key, value string) map[string]string {
	labels = maps.Clone(labels)
	labels[key] = value
	return labels
}

// build makes the image, or the index of images, of a release whose layers are built. It also returns
// the server's own layers, to be closed when the image was pushed.
func (t *Target) build(ctx context.Context, rel *site.Release, r recipe, on top) (remote.Taggable, []*image.Blob, error) {
	b := &builder{t: t, recipe: r, top: on.parts(), labels: labelsFor(rel, r, on), created: image.PublishedAt(rel), layers: len(on.site)}
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
	top     []part // what lies on the base: the site, then what is kept
	layers  int    // of the site
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

func (b *builder) topInfo() image.Info { return b.top[len(b.top)-1].info }

// comment says in the history what a layer on the base is.
func (b *builder) comment(i int) string {
	switch {
	case i >= b.layers:
		return "kept files"
	case i > 0:
		return "changes of the site"
	}
	return "the site"
}

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
	adds := base.layers
	for i, l := range b.top {
		adds = append(adds, mutate.Addendum{Layer: l.Layer, MediaType: l.info.MediaType})
		cf.RootFS.DiffIDs = append(cf.RootFS.DiffIDs, l.info.DiffID)
		cf.History = append(cf.History, v1.History{Created: v1.Time{Time: b.created}, CreatedBy: "mirror publish", Comment: b.comment(i)})
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
