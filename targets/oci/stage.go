package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// Stage pushes the release's image under the tag mirror-<release id>, where another
// process finds it and the registry's garbage collection spares it. Layers that the
// registry holds are not sent, those of a base in the same registry are mounted.
func (t *Target) Stage(ctx context.Context, rel *site.Release, p targets.Progress) error {
	if err := image.Refuse(rel); err != nil {
		return err
	}
	t.staging.Lock()
	defer t.staging.Unlock()
	r, err := t.recipeFor(ctx, rel)
	if err != nil {
		return err
	}
	live, err := t.look(ctx, t.tag)
	if err != nil {
		return err
	}
	past, err := t.pastOf(ctx, rel.ID(), live.release())
	if err != nil {
		return err
	}
	kept, top, err := t.keptLayer(ctx, rel, r, live)
	if err != nil {
		return err
	}
	if top != nil {
		defer top.Close()
	}
	staged, err := t.holds(ctx, rel, r, top)
	if err != nil {
		return err
	}
	if staged {
		return t.noteStaging(ctx, rel, past)
	}
	if err := t.send(ctx, rel, r, sending{past, kept, top}, p); err != nil {
		return fmt.Errorf("stage %s: %w", rel.ID().Short(), err)
	}
	return nil
}

// holds reports whether the staged tag names an image of exactly this release, recipe and layer
// of kept files.
func (t *Target) holds(ctx context.Context, rel *site.Release, r recipe, top *image.Blob) (bool, error) {
	h, err := t.look(ctx, t.stagedTag(rel.ID()))
	if err != nil || h == nil || h.release() != rel.ID() {
		return false, err
	}
	if want := labelsFor(rel, r, top); h.labels[labelConfig] != want[labelConfig] || h.labels[labelKept] != want[labelKept] {
		return false, nil
	}
	files, err := t.held(ctx, h)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		t.log.Warn("the staged image cannot be read and is made again", "release", rel.ID(), "err", err)
		return false, nil
	}
	if top != nil {
		beside := t.keeps.Beside(rel.Manifest)
		files = slices.DeleteFunc(slices.Clone(files), func(f site.File) bool { return beside(f.Path) })
	}
	return slices.Equal(files, rel.Manifest), nil
}

// sending is what goes with a release.
type sending struct {
	past []site.ID     // what was live before it, the latest first
	kept site.Manifest // files of the live image that stay
	top  *image.Blob   // their layer, nil for none
}

func (t *Target) send(ctx context.Context, rel *site.Release, r recipe, s sending, p targets.Progress) error {
	layer, err := image.WriteBlob(t.cfg.compression, func(w io.Writer) error { return image.WriteSite(ctx, w, rel, r.WebRoot) })
	if err != nil {
		return err
	}
	defer layer.Close()
	list, err := writeList(rel.Manifest)
	if err != nil {
		return err
	}
	defer list.Close()
	img, own, err := t.build(ctx, rel, r, layer, s.top)
	if err != nil {
		return err
	}
	defer closeAll(own)
	if p != nil {
		p.Expect(len(rel.Manifest), layer.Info.Size+list.Info.Size+t.missing(ctx, append(own, s.blobs()...)))
	}
	// The list first: an image that is staged has one.
	if err := t.pushList(withProgress(ctx, p), rel, list, s.past); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	if err := t.reg.push(withProgress(ctx, p), t.stagedTag(rel.ID()), img); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	if p != nil {
		p.Sent(len(rel.Manifest), 0)
	}
	digest, err := digestOfImage(img)
	if err == nil {
		t.keep(fromStage, digest, withKept(rel.Manifest, s.kept))
	}
	return err
}

func (s sending) blobs() []*image.Blob {
	if s.top == nil {
		return nil
	}
	return []*image.Blob{s.top}
}

// missing returns how many bytes of the layers the registry lacks. It only makes
// a forecast: what cannot be asked counts as there.
func (t *Target) missing(ctx context.Context, layers []*image.Blob) (n int64) {
	for _, l := range layers {
		held, err := t.reg.puller.Layer(ctx, t.tag.Context().Digest(l.Info.Digest.String()))
		if err != nil {
			continue
		}
		if there, err := partial.Exists(held); err == nil && !there {
			n += l.Info.Size
		}
	}
	return n
}

func digestOfImage(img remote.Taggable) (string, error) {
	d, ok := img.(partial.WithRawManifest)
	if !ok {
		return "", fmt.Errorf("%T has no manifest", img)
	}
	h, err := partial.Digest(d)
	return h.String(), err
}
