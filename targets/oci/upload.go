package oci

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"

	"mirror/targets/oci/internal/image"
	"mirror/targets/oci/internal/push"
)

const (
	// askAbove is how large a blob of ours is, in bytes, that the registry is asked for before it is sent:
	// a smaller one is sent with fewer requests.
	askAbove = 4 << 20
)

// upload is an image, or an index of images, on its way to the registry.
type upload struct {
	reg    *registry
	images []v1.Image
	index  v1.ImageIndex // nil for one image
	labels map[string]string
	relied bool      // on blobs that the registry should have
	blobs  []v1.Hash // all that the images name
	send   []pending // what the registry lacks
}

// pending is a blob to be sent.
type pending struct {
	push.Blob
	from string // the repository to mount it from, "" for none
	size int64
}

// newUpload looks what the registry lacks of an image. It is not asked for what is relied on, unless it
// is a registry that takes an image whose layers it does not have.
func (t *Target) newUpload(ctx context.Context, img remote.Taggable, relied map[v1.Hash]bool) (*upload, error) {
	up := &upload{reg: t.reg}
	var err error
	if up.images, up.index, up.labels, err = partsOfTaggable(img); err != nil {
		return nil, err
	}
	all, held, err := t.blobsOfUpload(up, relied)
	if err == nil {
		up.send, err = t.lacking(ctx, all)
	}
	if err != nil {
		return nil, err
	}
	if _, known := t.checksManifests(); !known && t.state != "" && len(up.send) > 1 { // a layer and a config: it cannot take the image yet
		if err := t.probe(ctx, up.images[0]); err != nil {
			return nil, err
		}
	}
	return up, t.assureBlobs(ctx, held)
}

// blobsOfUpload lists the blobs that the images name, each once: those to ask for, and those relied on.
func (t *Target) blobsOfUpload(up *upload, relied map[v1.Hash]bool) (ask []pending, held []v1.Descriptor, err error) {
	for _, img := range up.images {
		all, err := t.blobsToSend(img)
		if err != nil {
			return nil, nil, err
		}
		for _, b := range all {
			digest, err := b.Digest()
			switch {
			case err != nil:
				return nil, nil, err
			case slices.Contains(up.blobs, digest):
				continue
			case relied[digest]:
				held = append(held, v1.Descriptor{Digest: digest})
			default:
				ask = append(ask, b)
			}
			up.blobs = append(up.blobs, digest)
		}
	}
	up.relied = len(held) > 0
	return ask, held, nil
}

// lacking returns the blobs that the registry lacks.
func (t *Target) lacking(ctx context.Context, all []pending) ([]pending, error) {
	there := make([]bool, len(all))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(blobsAtOnce)
	for i, b := range all {
		g.Go(func() (err error) {
			there[i], err = t.hasBlob(ctx, b)
			return err
		})
	}
	err := g.Wait()
	var lacking []pending
	for i, b := range all {
		if !there[i] {
			lacking = append(lacking, b)
		}
	}
	return lacking, err
}

// partsOfTaggable takes apart what was built.
func partsOfTaggable(img remote.Taggable) ([]v1.Image, v1.ImageIndex, map[string]string, error) {
	switch img := img.(type) {
	case v1.ImageIndex:
		m, err := img.IndexManifest()
		if err != nil {
			return nil, nil, nil, err
		}
		var images []v1.Image
		for _, d := range m.Manifests {
			child, err := img.Image(d.Digest)
			if err != nil {
				return nil, nil, nil, err
			}
			images = append(images, child)
		}
		return images, img, m.Annotations, nil
	case v1.Image:
		m, err := img.Manifest()
		if err != nil {
			return nil, nil, nil, err
		}
		return []v1.Image{img}, nil, m.Annotations, nil
	}
	return nil, nil, nil, fmt.Errorf("%T is not an image", img)
}

// blobsToSend lists the blobs of an image.
func (t *Target) blobsToSend(img v1.Image) ([]pending, error) {
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	var all []pending
	for _, l := range layers {
		size, err := l.Size()
		if err != nil {
			return nil, err
		}
		b := pending{Blob: l, size: size}
		if m, ok := l.(*remote.MountableLayer); ok && m.Reference.Context().RegistryStr() == t.tag.RegistryStr() {
			b.from = m.Reference.Context().RepositoryStr()
		}
		all = append(all, b)
	}
	config, err := img.RawConfigFile()
	return append(all, pending{Blob: push.Bytes(config), size: int64(len(config))}), err
}

// hasBlob asks for a blob, if it is not cheaper to send it.
func (t *Target) hasBlob(ctx context.Context, b pending) (bool, error) {
	switch b.Blob.(type) {
	case push.Bytes:
		return false, nil
	case *image.Blob:
		if b.size <= askAbove {
			return false, nil
		}
	}
	digest, err := b.Digest()
	if err != nil {
		return false, err
	}
	return t.reg.writes.Has(ctx, digest)
}

// size is how many bytes are sent. What is mounted is not.
func (up *upload) size() (n int64) {
	for _, b := range up.send {
		if b.from == "" {
			n += b.size
		}
	}
	return n
}

// push sends what the registry lacks, then the manifests.
func (up *upload) push(ctx context.Context, ref name.Tag) (*head, error) {
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(blobsAtOnce)
	for _, b := range up.send {
		g.Go(func() error { return up.reg.writes.Send(within, b.Blob, b.from) })
	}
	if err := g.Wait(); err != nil {
		return nil, explain(ref, "push", err)
	}
	last, err := up.manifests(func(m manifest, digest v1.Hash) error {
		return up.reg.writes.Manifest(ctx, digest.String(), m.mediaType, m.raw)
	})
	if err == nil {
		err = up.reg.writes.Manifest(ctx, ref.TagStr(), last.mediaType, last.raw)
	}
	if err != nil {
		if up.relied && refused(err) {
			err = errors.Join(errLost, err)
		}
		return nil, explain(ref, "push", err)
	}
	return headOf(last, up.labels)
}

// manifests has the images of an index put, and returns the manifest that the tag is to name.
func (up *upload) manifests(put func(manifest, v1.Hash) error) (manifest, error) {
	if up.index == nil {
		return rawManifest(up.images[0])
	}
	for _, img := range up.images {
		m, err := rawManifest(img)
		if err != nil {
			return m, err
		}
		digest, err := img.Digest()
		if err == nil {
			err = put(m, digest)
		}
		if err != nil {
			return m, err
		}
	}
	return rawManifest(up.index)
}
