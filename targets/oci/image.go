package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// recipe is all that an image is made from but the site: what labelConfig is a digest of.
type recipe struct {
	Format      int               `json:"format"` // of the layer and the config, counted up when they change
	Base        string            `json:"base"`   // digest of the base, "" for self
	Self        map[string]string `json:"self"`   // identity of the server's files, by platform
	Platforms   []string          `json:"platforms"`
	WebRoot     string            `json:"web_root"`
	Beacon      string            `json:"beacon"`
	Compression string            `json:"compression"`
}

func (r recipe) digest() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // the fields are plain
	}
	d := sha256.Sum256(text)
	return hex.EncodeToString(d[:])
}

// recipe looks up what an image made now would be made from.
func (t *Target) recipe(ctx context.Context, rel *site.Release) (recipe, error) {
	r := recipe{
		Format: 1, WebRoot: t.cfg.webRoot, Beacon: rel.BeaconPath, Compression: t.cfg.compression.Name,
		Self: map[string]string{},
	}
	for _, p := range t.cfg.platforms {
		r.Platforms = append(r.Platforms, p.String())
	}
	if t.cfg.base == nil {
		return r, t.selfIdentities(r.Self)
	}
	digest, err := t.reg.digest(ctx, t.cfg.base)
	if err != nil {
		return r, fmt.Errorf("base: %w", err)
	}
	if digest == "" {
		return r, &targets.RefusedError{
			Reason: fmt.Sprintf("the registry has no base image %s", t.cfg.base), Hint: "correct base, or use self",
		}
	}
	r.Base = digest
	return r, nil
}

func (t *Target) selfIdentities(byPlatform map[string]string) error {
	for _, p := range t.cfg.platforms {
		digest, err := t.self.Digest(p)
		if err != nil {
			return err
		}
		byPlatform[p.String()] = digest
	}
	return nil
}

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
		img, err := b.image(ctx, p)
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
	labels := with(b.labels, labelLayer, b.last().Digest.String())
	return mutate.Annotations(mutate.AppendManifests(index, adds...), labels).(v1.ImageIndex)
}

func (b *builder) last() image.Info { return b.top[len(b.top)-1].Info }

// image makes the image for one platform.
func (b *builder) image(ctx context.Context, p v1.Platform) (v1.Image, error) {
	base, err := b.base(ctx, p)
	if err != nil {
		return nil, err
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
	maps.Copy(cf.Config.Labels, with(b.labels, labelLayer, b.last().DiffID.String()))
	if img, err = mutate.ConfigFile(img, cf); err != nil {
		return nil, err
	}
	labels := with(b.labels, labelLayer, b.last().Digest.String())
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
