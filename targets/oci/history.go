package oci

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mirror/site"
)

const maxPastImage = 256 << 20 // bytes of an image that is read for want of a list

// Past lists the releases that the registry holds, with all digests: the live one first, the
// others by when they were published, the latest first; one that was staged and never went
// live is among them. A live image of others is read itself, if it is not large.
func (t *Target) Past(ctx context.Context, limit int, _ []string) ([]site.Past, error) {
	if limit <= 0 {
		return nil, nil
	}
	live, err := t.look(ctx, t.tag)
	if err != nil {
		return nil, err
	}
	lists, err := t.lists(ctx)
	if err != nil {
		return nil, err
	}
	var past []site.Past
	var errs []error
	reader := t.newListReader()
	if live != nil {
		p, err := t.pastLive(ctx, live, lists)
		if err == nil {
			past = append(past, p)
		}
		errs = append(errs, err)
	}
	for _, l := range lists {
		if len(past) >= limit || ctx.Err() != nil {
			break
		}
		if l.release == live.release() {
			continue
		}
		m, err := reader.read(ctx, l)
		if err == nil {
			past = append(past, site.Past{Release: l.release, Published: l.created, Manifest: m})
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil && (len(past) == 0 || ctx.Err() != nil) {
		return nil, fmt.Errorf("past of %s: %w", t.tag, err)
	}
	return past, nil
}

// pastLive tells what is live from its list, or from its image where it has none.
func (t *Target) pastLive(ctx context.Context, live *head, lists []list) (site.Past, error) {
	p := site.Past{Release: live.release()}
	i := slices.IndexFunc(lists, func(l list) bool { return l.release == p.Release })
	if i >= 0 {
		p.Published = lists[i].created
		m, err := t.readList(ctx, lists[i])
		if err == nil {
			p.Manifest = m
			return p, nil
		}
		t.log.Debug("the list of a release's files cannot be read", "release", p.Release, "err", err)
	}
	err := t.isSmall(ctx, live)
	if err == nil {
		var held record
		held, err = t.held(ctx, live)
		p.Manifest = held.Files
	}
	if err == nil {
		p.Manifest, err = t.ownFiles(ctx, live, p.Manifest)
	}
	return p, err
}

// isSmall reports, as an error, an image that is too large to be read for a look.
func (t *Target) isSmall(ctx context.Context, h *head) error {
	img, err := t.platformImage(ctx, h.desc)
	if err != nil || img == nil {
		return err
	}
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	left := int64(maxPastImage)
	for _, l := range m.Layers {
		if left -= l.Size; l.Size < 0 || left < 0 {
			return fmt.Errorf("the image has more than the %d bytes that are read for a look into the past", int64(maxPastImage))
		}
	}
	return nil
}
