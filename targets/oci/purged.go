package oci

import (
	"context"

	"mirror/site"
)

// Purged lists the releases of which the registry has the list of files, and no longer the image: Erase deletes the tags of
// all images but the live one.
func (t *Target) Purged(ctx context.Context, past []site.Past) (gone []site.ID, err error) {
	live, err := t.look(ctx, t.tag)
	if err != nil {
		return nil, err
	}
	for _, one := range past {
		if one.Release == live.release() {
			continue
		}
		h, err := t.look(ctx, t.stagedTag(one.Release))
		if err != nil {
			return gone, err
		}
		if h.release() != one.Release {
			gone = append(gone, one.Release)
		}
	}
	return gone, nil
}
