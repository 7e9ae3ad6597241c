package oci

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// baseParts is what an image begins with: the layers below the site's, and a config.
type baseParts struct {
	layers []mutate.Addendum
	config *v1.ConfigFile
	opened *image.Blob // the server's own layer, to be closed when the image was pushed; else nil
}

// baseFor returns what an image of the recipe begins with on one platform.
func (t *Target) baseFor(ctx context.Context, r recipe, created time.Time, p v1.Platform) (baseParts, error) {
	if t.cfg.bare {
		return baseParts{config: &v1.ConfigFile{}}, nil
	}
	if t.cfg.base == nil {
		return t.selfBase(r, created, p)
	}
	img, err := t.baseImage(ctx, r, p)
	if err != nil {
		return baseParts{}, fmt.Errorf("base %s: %w", t.cfg.base, err)
	}
	return partsOf(img)
}

// baseImage reads the base by the digest that the recipe names.
func (t *Target) baseImage(ctx context.Context, r recipe, p v1.Platform) (v1.Image, error) {
	repo := t.cfg.base.Context()
	desc, err := t.reg.get(ctx, repo.Digest(r.Base))
	if err != nil {
		return nil, err
	}
	switch {
	case desc == nil:
		return nil, fmt.Errorf("%s is gone from the registry", r.Base)
	case desc.MediaType.IsImage():
		return forPlatform(desc.Image())(p)
	case !desc.MediaType.IsIndex():
		return nil, fmt.Errorf("%s is no image", desc.MediaType)
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(desc.Manifest, &index); err != nil {
		return nil, err
	}
	for _, d := range index.Manifests {
		if d.MediaType.IsImage() && d.Platform != nil && d.Platform.Satisfies(p) {
			return t.imageByDigest(ctx, repo, d.Digest)
		}
	}
	return nil, wrongPlatform(p)
}

// forPlatform passes an image on if its config names the platform, or none.
func forPlatform(img v1.Image, err error) func(p v1.Platform) (v1.Image, error) {
	return func(p v1.Platform) (v1.Image, error) {
		if err != nil {
			return nil, err
		}
		cf, err := configFile(img)
		if err != nil {
			return nil, err
		}
		if cf.Architecture != "" && !cf.Platform().Satisfies(v1.Platform{OS: p.OS, Architecture: p.Architecture}) {
			return nil, wrongPlatform(p)
		}
		return img, nil
	}
}

func wrongPlatform(p v1.Platform) error {
	return &targets.RefusedError{
		Reason: fmt.Sprintf("the base has no image for %s", p.String()), Hint: "correct platforms, or take another base",
	}
}

func partsOf(img v1.Image) (baseParts, error) {
	cf, err := configFile(img)
	if err != nil {
		return baseParts{}, err
	}
	layers, err := img.Layers()
	if err != nil {
		return baseParts{}, err
	}
	if len(layers) != len(cf.RootFS.DiffIDs) {
		return baseParts{}, fmt.Errorf("the base has %d layers and names %d", len(layers), len(cf.RootFS.DiffIDs))
	}
	parts := baseParts{config: cf}
	for _, l := range layers {
		mt, err := l.MediaType()
		if err != nil {
			return baseParts{}, err
		}
		parts.layers = append(parts.layers, mutate.Addendum{Layer: l, MediaType: inOCI(mt)})
	}
	return parts, nil
}

// inOCI returns OCI's name for a layer's type; the bytes are the same.
func inOCI(mt types.MediaType) types.MediaType {
	switch mt {
	case types.DockerLayer:
		return types.OCILayer
	case types.DockerUncompressedLayer:
		return types.OCIUncompressedLayer
	}
	return mt
}

// serverUser is the user that mirror's own server runs as.
const serverUser = "65532:65532"

// selfBase is the base that needs no registry: mirror's own binary, serving the web root.
func (t *Target) selfBase(r recipe, created time.Time, p v1.Platform) (baseParts, error) {
	layer, err := t.self.Layer(p, t.state)
	if err != nil {
		return baseParts{}, err
	}
	cf := &v1.ConfigFile{
		RootFS:  v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{layer.Info.DiffID}},
		History: []v1.History{{Created: v1.Time{Time: created}, CreatedBy: "mirror publish", Comment: "mirror serve"}},
		Config: v1.Config{
			Entrypoint:   []string{"/mirror", "serve", r.WebRoot, "--listen", ":8080"},
			ExposedPorts: map[string]struct{}{"8080/tcp": {}},
			User:         serverUser,
		},
	}
	if len(r.Compress) > 0 {
		cf.Config.Entrypoint = append(cf.Config.Entrypoint, "--compress", strings.Join(r.Compress, ","))
	}
	return baseParts{layers: []mutate.Addendum{{Layer: layer, MediaType: layer.Info.MediaType}}, config: cf, opened: layer}, nil
}
