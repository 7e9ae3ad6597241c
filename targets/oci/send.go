package oci

import (
	"context"
	"errors"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// sending is what is sent for a release.
type sending struct {
	rel *site.Release
	seen
	before   list        // of the live release; empty where there is none
	past     []site.ID   // what was live before it, the latest first
	kept     staying     // files of the live image
	top      *image.Blob // their layer, nil for none
	progress targets.Progress
}

// send pushes what changed on top of the live image's layers. Where the registry has lost one of those,
// it pushes the whole site.
func (t *Target) send(ctx context.Context, s sending) error {
	below, err := t.chainOf(ctx, s.live, s.recipe.WebRoot)
	if err != nil {
		return err
	}
	if below == nil {
		return t.sendWhole(ctx, s, true)
	}
	delta := image.Difference(below.files, below.beside, s.rel)
	if below.tooDeep(delta, s.rel) {
		return t.sendWhole(ctx, s, true)
	}
	err = t.sendDelta(ctx, s, below, delta)
	if !errors.Is(err, errLost) || ctx.Err() != nil {
		return err
	}
	t.log.Warn("the registry has lost a part of the live image, and the site is sent as a whole", "target", t.tag.String(), "err", err)
	return t.sendWhole(ctx, s, false)
}

// sendWhole pushes the site as one layer. Where sound is false, the registry is asked for each blob that
// the live image names too.
func (t *Target) sendWhole(ctx context.Context, s sending, sound bool) error {
	layer, err := image.WriteBlob(t.cfg.compression, func(w io.Writer) error { return image.WriteSite(ctx, w, s.rel, s.recipe.WebRoot) })
	if err != nil {
		return err
	}
	defer layer.Close()
	relied := map[v1.Hash]bool{}
	if sound {
		relied = t.blobsOf(s.live)
	}
	return t.sendImage(ctx, s, top{site: []part{{layer, layer.Info}}, kept: s.top, grace: s.kept.grace}, nil, relied)
}

// sendDelta pushes a layer with what changed.
func (t *Target) sendDelta(ctx context.Context, s sending, below *chain, delta image.Delta) error {
	layer, err := image.WriteBlob(t.cfg.compression, func(w io.Writer) error {
		return image.WriteDelta(ctx, w, s.rel, s.recipe.WebRoot, delta)
	})
	if err != nil {
		return err
	}
	defer layer.Close()
	on := top{kept: s.top, grace: s.kept.grace, stored: below.with(delta, s.rel)}
	relied := t.blobsOf(s.live)
	for _, info := range below.layers {
		on.site = append(on.site, part{image.Stored{Info: info}, info})
		relied[info.Digest] = true
	}
	on.site = append(on.site, part{layer, layer.Info})
	return t.sendImage(ctx, s, on, below, relied)
}

// sendImage pushes the list of the release's files, then the image.
func (t *Target) sendImage(ctx context.Context, s sending, on top, below *chain, relied map[v1.Hash]bool) error {
	img, own, err := t.build(ctx, s.rel, s.recipe, on)
	if err != nil {
		return err
	}
	defer closeAll(own)
	up, err := t.newUpload(ctx, img, relied)
	if err != nil {
		return err
	}
	files, err := t.composeList(ctx, s, below)
	if err != nil {
		return err
	}
	defer files.Close()
	if s.progress != nil {
		s.progress.Expect(len(s.rel.Manifest), up.size()+files.size())
		ctx = withProgress(ctx, s.progress)
	}
	// The list first: an image that is staged has one.
	l, err := t.pushList(ctx, s.rel, files, s.past)
	if err != nil {
		return err
	}
	h, err := up.push(ctx, t.stagedTag(s.rel.ID()))
	if err != nil {
		return err
	}
	if s.progress != nil {
		s.progress.Sent(len(s.rel.Manifest), 0)
	}
	t.rememberStaged(s, on, h, l, up.blobs)
	return nil
}

// rememberStaged notes what was staged: for the commit by this process, and for later releases.
func (t *Target) rememberStaged(s sending, on top, h *head, l list, blobs []v1.Hash) {
	t.fresh.put(staged{s.rel.ID(), h, l})
	r := record{Files: withKept(s.rel.Manifest, s.kept.files), Depth: len(on.site), Blobs: blobs, Lists: l.layers, Past: l.past}
	if on.kept != nil {
		r.Depth++
	}
	for _, p := range on.site {
		r.Layers = append(r.Layers, p.info)
	}
	t.keep(fromStage, h.digest(), r)
	t.keep(ofRelease, string(s.rel.ID()), record{})
}

// blobsOf returns what the registry holds for the live image, as far as this machine knows.
func (t *Target) blobsOf(live *head) map[v1.Hash]bool {
	blobs := map[v1.Hash]bool{}
	if live == nil {
		return blobs
	}
	made, _ := t.recorded(fromStage, live.digest())
	for _, b := range made.Blobs {
		blobs[b] = true
	}
	return blobs
}

// composeList makes the list of a release whose layer lies on those of the live one, from the list of
// that and what has changed; below is nil where the site is sent as a whole.
func (t *Target) composeList(ctx context.Context, s sending, below *chain) (fileList, error) {
	if below == nil || s.before.release != s.live.release() || len(s.before.layers) == 0 || len(s.before.layers) >= maxChanges {
		return writeList(s.rel.Manifest)
	}
	if !s.before.own {
		if _, err := t.readList(ctx, s.before); err != nil {
			if ctx.Err() != nil {
				return fileList{}, ctx.Err()
			}
			return writeList(s.rel.Manifest)
		}
	}
	changes := changesOf(below.files, s.rel.Manifest)
	if len(changes) == 0 {
		return fileList{below: s.before.layers}, nil
	}
	blob, err := writeText(changes, listChanges)
	return fileList{s.before.layers, blob}, err
}
