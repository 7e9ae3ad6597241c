package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"mirror/site"
	"mirror/targets"
)

// purgedTag names an image of nothing whose annotation records which releases were purged, and when.
const purgedTag = stagedPrefix + "purged"

// labelPurged is that annotation.
const labelPurged = "mirror.purged"

// Purged lists the releases of which the registry has the list of files, and no longer the image: Erase deletes the tags of
// all images but the live one.
func (t *Target) Purged(ctx context.Context, past []site.Past) (targets.Purged, error) {
	live, err := t.look(ctx, t.tag)
	if err != nil {
		return nil, err
	}
	gone := targets.Purged{}
	var noted targets.Purged
	for _, one := range past {
		if one.Release == live.release() {
			continue
		}
		h, err := t.look(ctx, t.stagedTag(one.Release))
		if err != nil {
			return gone, err
		}
		if h.release() == one.Release {
			continue
		}
		if noted == nil {
			if noted, err = t.readPurged(ctx); err != nil {
				return gone, err
			}
		}
		gone[one.Release] = noted[one.Release]
	}
	return gone, nil
}

// readPurged reads the record, an empty one where there is none.
func (t *Target) readPurged(ctx context.Context) (targets.Purged, error) {
	desc, err := t.reg.get(ctx, t.tag.Context().Tag(purgedTag))
	if err != nil || desc == nil {
		return targets.Purged{}, err
	}
	m, err := v1.ParseManifest(bytes.NewReader(desc.Manifest))
	if err != nil {
		return nil, fmt.Errorf("what is noted of purges: %w", err)
	}
	return targets.DecodePurged([]byte(m.Annotations[labelPurged])), nil
}

// notePurged adds the releases but the live one to the record.
func (t *Target) notePurged(ctx context.Context, live site.ID) error {
	lists, err := t.lists(ctx)
	if err != nil {
		return err
	}
	var ids []site.ID
	for _, l := range lists {
		h, err := t.look(ctx, t.stagedTag(l.release))
		if err != nil {
			return err
		}
		if l.release != live && h.release() == l.release {
			ids = append(ids, l.release)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	noted, err := t.readPurged(ctx)
	if err != nil {
		return err
	}
	none, err := noneImage()
	if err != nil {
		return err
	}
	text := noted.With(ids, time.Now()).Encode()
	img, ok := mutate.Annotations(none, map[string]string{labelRelease: noRelease, labelPurged: string(text)}).(v1.Image)
	if !ok {
		return errors.New("the image that notes purges cannot be made")
	}
	up, err := t.newUpload(ctx, img, nil)
	if err != nil {
		return err
	}
	_, err = up.push(ctx, t.tag.Context().Tag(purgedTag))
	return err
}
