package oci

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
)

// Most registries refuse a manifest that names a blob which they do not have. With those no request is
// needed to see that the layers of earlier releases are still there. Which one this is, is tried with the
// first image, before its layers are sent, and noted in the state folder.
const (
	checksFile = "registry-checks"
	checksYes  = "yes"
	checksNo   = "no"
)

// checksManifests tells whether the registry refuses manifests with blobs that it lacks, if that is
// known.
func (t *Target) checksManifests() (checks, known bool) {
	if t.state == "" {
		return false, false
	}
	text, err := regular.ReadFile(filepath.Join(t.state, checksFile), 4<<10)
	if err != nil {
		return false, false
	}
	registry, answer, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if registry != t.tag.RegistryStr() {
		return false, false
	}
	return answer == checksYes, answer == checksYes || answer == checksNo
}

// probe puts an image's manifest under its digest while its layers are not there, and notes the answer.
func (t *Target) probe(ctx context.Context, img v1.Image) error {
	m, err := rawManifest(img)
	if err != nil {
		return err
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	answer := checksNo
	if err := t.reg.writes.Manifest(ctx, digest.String(), m.mediaType, m.raw); refused(err) {
		answer = checksYes
	} else if err != nil {
		return ctx.Err() // which tells nothing
	}
	if err := atomicfile.WriteFile(filepath.Join(t.state, checksFile), []byte(t.tag.RegistryStr()+" "+answer+"\n"), 0o600); err != nil {
		t.log.Warn("what the registry is known to check could not be saved; the next publish asks again", "err", err)
	}
	return nil
}

// assureBlobs looks for blobs that the registry should have, unless it does that by itself. It gives
// errLost where one is gone.
func (t *Target) assureBlobs(ctx context.Context, blobs []v1.Descriptor) error {
	if checks, _ := t.checksManifests(); checks {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(blobsAtOnce)
	for _, d := range blobs {
		g.Go(func() error {
			there, err := t.reg.writes.Has(ctx, d.Digest)
			if err == nil && !there {
				err = fmt.Errorf("%w: %s", errLost, d.Digest)
			}
			return err
		})
	}
	return g.Wait()
}

// errLost says that the registry does not have a blob that it should have.
var errLost = errors.New("the registry has lost a blob of an earlier release")

// blobsAtOnce is how many blobs are asked for, or sent, at once.
const blobsAtOnce = 4
