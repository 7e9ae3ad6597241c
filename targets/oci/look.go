package oci

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/site"
)

// maxConfig bounds an image's config, in bytes.
const maxConfig = 16 << 20

func (t *Target) stagedTag(id site.ID) name.Tag {
	return t.tag.Context().Tag(stagedPrefix + string(id))
}

// look reads what ref names. The image that stands for no image counts as nothing.
func (t *Target) look(ctx context.Context, ref name.Reference) (*head, error) {
	desc, err := t.reg.get(ctx, ref)
	if err != nil || desc == nil {
		return nil, err
	}
	labels, err := t.labelsOf(ctx, desc)
	if err != nil {
		return nil, err
	}
	if labels[labelRelease] == noRelease {
		return nil, nil
	}
	return &head{desc, labels}, nil
}

// labelsOf returns the annotations of an image that is ours, or its config's labels where
// the annotations were lost in a copy between formats.
func (t *Target) labelsOf(ctx context.Context, desc *remote.Descriptor) (map[string]string, error) {
	var m struct {
		Annotations map[string]string
		Layers      []v1.Descriptor
	}
	if err := json.Unmarshal(desc.Manifest, &m); err != nil {
		return nil, fmt.Errorf("manifest of %s: %w", t.tag, err)
	}
	if m.Annotations[labelRelease] != "" {
		intact := desc.MediaType.IsIndex() || isLast(m.Annotations[labelLayer], m.Layers, digestOf)
		return onlyIf(intact, m.Annotations), nil
	}
	img, err := t.platformImage(ctx, desc)
	if err != nil || img == nil {
		return nil, err
	}
	cf, err := configFile(img)
	if err != nil {
		return nil, fmt.Errorf("config of %s: %w", t.tag, err)
	}
	return onlyIf(isLast(cf.Config.Labels[labelLayer], cf.RootFS.DiffIDs, v1.Hash.String), cf.Config.Labels), nil
}

func digestOf(d v1.Descriptor) string { return d.Digest.String() }

// isLast reports whether want names the last layer; the empty name, no layer at all.
func isLast[T any](want string, layers []T, nameOf func(T) string) bool {
	if len(layers) == 0 {
		return want == ""
	}
	return nameOf(layers[len(layers)-1]) == want
}

func onlyIf(ok bool, labels map[string]string) map[string]string {
	if !ok {
		return nil
	}
	return labels
}

// platformImage returns the image for this machine's platform, else the first one of an
// index; nil for what is no image.
func (t *Target) platformImage(ctx context.Context, desc *remote.Descriptor) (v1.Image, error) {
	if desc.MediaType.IsImage() {
		return desc.Image()
	}
	if !desc.MediaType.IsIndex() {
		return nil, nil
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(desc.Manifest, &index); err != nil {
		return nil, fmt.Errorf("index of %s: %w", t.tag, err)
	}
	child := choose(index.Manifests, v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
	if child == nil {
		return nil, nil
	}
	return t.imageByDigest(ctx, t.tag.Context(), child.Digest)
}

func (t *Target) imageByDigest(ctx context.Context, repo name.Repository, digest v1.Hash) (v1.Image, error) {
	ref := repo.Digest(digest.String())
	desc, err := t.reg.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	if desc == nil || !desc.MediaType.IsImage() {
		return nil, fmt.Errorf("%s: no such image in the registry", ref)
	}
	return desc.Image()
}

// choose prefers an image for p to the first one for any platform.
func choose(all []v1.Descriptor, p v1.Platform) *v1.Descriptor {
	var first *v1.Descriptor
	for i, d := range all {
		if !d.MediaType.IsImage() || d.Platform != nil && d.Platform.OS == "unknown" { // an attestation
			continue
		}
		if d.Platform != nil && d.Platform.Satisfies(p) {
			return &all[i]
		}
		if first == nil {
			first = &all[i]
		}
	}
	return first
}

// configFile returns an image's config, unless it is too large to be one.
func configFile(img v1.Image) (*v1.ConfigFile, error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	if m.Config.Size > maxConfig {
		return nil, fmt.Errorf("%d bytes are too many for an image's config", m.Config.Size)
	}
	return img.ConfigFile()
}
