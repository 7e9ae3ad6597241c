package oci

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/site"
	"mirror/targets/oci/internal/image"
	"mirror/targets/oci/internal/push"
)

// pushList stores a release's list. Where the registry has lost an earlier part of it, it is stored as
// a whole.
func (t *Target) pushList(ctx context.Context, rel *site.Release, files fileList, past []site.ID) (list, error) {
	l, err := t.putList(ctx, rel, files, past)
	if len(files.below) == 0 || !errors.Is(err, errLost) || ctx.Err() != nil {
		return l, err
	}
	whole, err := writeList(rel.Manifest)
	if err != nil {
		return list{}, err
	}
	defer whole.Close()
	return t.putList(ctx, rel, whole, past)
}

func (t *Target) putList(ctx context.Context, rel *site.Release, files fileList, past []site.ID) (list, error) {
	config, err := push.Bytes(listConfig).Digest()
	if err != nil {
		return list{}, err
	}
	m := &v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Annotations: noteOf(past),
		Config: v1.Descriptor{MediaType: listArtifact, Size: int64(len(listConfig)), Digest: config},
		Layers: slices.Clone(files.below),
	}
	if files.blob != nil {
		i := files.blob.Info
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: i.MediaType, Size: i.Size, Digest: i.Digest})
	}
	created := image.PublishedAt(rel).UTC()
	m.Annotations[labelRelease], m.Annotations[labelCreated] = string(rel.ID()), created.Format(time.RFC3339)
	ref := t.listTag(rel.ID())
	if err := t.sendList(ctx, files); err != nil {
		return list{}, explain(ref, "push", err)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return list{}, err
	}
	if err := t.reg.put(ctx, ref, manifest{raw, m.MediaType}); err != nil {
		if len(files.below) > 0 && refused(err) {
			err = errors.Join(errLost, err)
		}
		return list{}, err
	}
	return list{release: rel.ID(), created: created, staged: created, past: past, layers: m.Layers, manifest: m, own: true}, nil
}

// sendList sends the blobs of a list that the registry lacks.
func (t *Target) sendList(ctx context.Context, files fileList) error {
	if len(files.below) == 0 {
		if err := t.reg.writes.Send(ctx, push.Bytes(listConfig), ""); err != nil {
			return err
		}
	} else if err := t.assureBlobs(ctx, files.below); err != nil {
		return err
	}
	if files.blob == nil {
		return nil
	}
	return t.reg.writes.Send(ctx, files.blob, "")
}
