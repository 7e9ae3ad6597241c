package oci

import (
	"context"
	"slices"
	"strconv"

	"mirror/site"
	"mirror/targets/oci/internal/image"
)

// A release is the layers of the site that are in the live image, and one layer with what changed.
// Beyond these bounds the whole site is put into one layer again: each layer costs who pulls the image a
// request, and what was deleted or replaced stays in the lower ones.
const (
	maxDepth    = 12 // layers of the site
	maxDeadPart = 2  // the content of the layers may be that many times the site's
)

// chain is the layers of the site in an image, and what they come to.
type chain struct {
	layers []image.Info // the lowest first
	files  site.Manifest
	beside []string // the paths of the beacon and the manifest that are there
	stored int64    // bytes of content in the layers, 0 where there is one
}

// chainOf returns the layers of the site in the live image; nil where a release cannot be laid on top of
// them: the image is not ours, or holds more than its release, or its site is in another folder.
func (t *Target) chainOf(ctx context.Context, live *head, webRoot string) (*chain, error) {
	if live.release() == site.None || live.labels[labelWebRoot] != webRoot {
		return nil, nil
	}
	held, err := t.held(ctx, live)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t.log.Warn("the live image cannot be read, and the site is sent as a whole", "target", t.tag.String(), "err", err)
		return nil, nil
	}
	c := &chain{layers: held.Layers, files: held.Files, beside: besideOf(live.labels), stored: number(live.labels[labelStored], 0)}
	if held.Layers == nil {
		c.layers, err = t.siteLayers(ctx, live, held.Depth)
	}
	if err != nil || len(c.layers) == 0 {
		return nil, err
	}
	if live.labels[labelKept] != "" {
		c.files, err = t.listed(ctx, live, held)
	}
	if err != nil || c.files.ID() != live.release() {
		return nil, err
	}
	return c, nil
}

// besideOf lists what an image has beside the files of its release, as its labels say.
func besideOf(labels map[string]string) []string {
	paths := []string{labels[labelBeacon], labels[labelSums]}
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" })
}

// number reads a label, or returns what it is by default.
func number(label string, by int64) int64 {
	n, err := strconv.ParseInt(label, 10, 64)
	if err != nil || n < 0 {
		return by
	}
	return n
}

// siteLayers finds the layers of the site in an image whose depth topmost ones were read. It returns
// none where the labels say anything else than what was read.
func (t *Target) siteLayers(ctx context.Context, live *head, depth int) ([]image.Info, error) {
	img, err := t.platformImage(ctx, live.desc)
	if err != nil || img == nil {
		return nil, err
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	cf, err := configFile(img)
	if err != nil {
		return nil, err
	}
	top, n := len(m.Layers), int(number(live.labels[labelLayers], 1))
	if live.labels[labelKept] != "" {
		top--
		depth--
	}
	if n < 1 || n > maxLayers || depth != n || top < n || len(cf.RootFS.DiffIDs) != len(m.Layers) {
		return nil, nil
	}
	var layers []image.Info
	for i := top - n; i < top; i++ {
		d := m.Layers[i]
		layers = append(layers, image.Info{Digest: d.Digest, DiffID: cf.RootFS.DiffIDs[i], Size: d.Size, MediaType: d.MediaType})
	}
	return layers, nil
}

// listed returns the files of the live release alone, where the image holds kept ones too: those that
// the list beside it names. Only of an image that this machine made is it known that the kept files
// hide none of them.
func (t *Target) listed(ctx context.Context, live *head, held record) (site.Manifest, error) {
	if held.Layers == nil {
		return nil, nil
	}
	l, err := t.liveList(ctx, live)
	if err != nil {
		return nil, ctx.Err()
	}
	own, err := t.readList(ctx, l)
	if err != nil {
		return nil, ctx.Err()
	}
	for i, f := range own {
		was, there := held.Files.Find(f.Path)
		if !there || was.Digest != f.Digest {
			return nil, nil
		}
		own[i].Size = was.Size // which a list does not have
	}
	return own, nil
}

// tooDeep reports whether the site is to be put into one layer again.
func (c *chain) tooDeep(d image.Delta, rel *site.Release) bool {
	return len(c.layers) >= maxDepth || c.with(d, rel) > maxDeadPart*(rel.Manifest.Bytes()+int64(len(rel.Beacon())))
}

// with is how many bytes of content there are in the layers and in the next one.
func (c *chain) with(d image.Delta, rel *site.Release) int64 {
	stored := c.stored
	if stored == 0 { // one layer, which has a beacon of much the same size
		stored = c.files.Bytes() + int64(len(rel.Beacon()))
	}
	return stored + d.Bytes()
}
