package s3

import (
	"context"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/documents"
)

// Purged lists the releases of which Erase deleted objects.
func (t *Target) Purged(ctx context.Context, past []site.Past) (targets.Purged, error) {
	record, err := t.readErased(ctx)
	if err != nil || len(record) == 0 {
		return nil, err
	}
	gone := targets.Purged{}
	for _, one := range past {
		p, all, err := t.pastEntries(ctx, one.Release)
		if err == nil {
			gone.Note(t.refuseErased(ctx, record, p, all))
		}
	}
	return gone, ctx.Err()
}

// refuseErased returns an error where the bucket lacks content of a release that was erased.
func (t *Target) refuseErased(ctx context.Context, l targets.Erased, p site.Past, all documents.Entries) error {
	return l.Refuse(p.Release, p.Manifest, func(f site.File) bool {
		stored := all[f.Path].Digest
		staged, err := t.bucket.Open(ctx, documents.ObjectPath(stored))
		if err == nil {
			return staged.Close() == nil
		}
		live, _, err := t.bucket.Digest(ctx, f.Path)
		return err == nil && live == stored
	})
}

// Purged lists the releases in whose folders Erase deleted objects.
func (p Pointed) Purged(ctx context.Context, past []site.Past) (targets.Purged, error) {
	record, err := p.t.readErased(ctx)
	if err != nil || len(record) == 0 {
		return nil, err
	}
	gone := targets.Purged{}
	for _, one := range past {
		gone.Note(p.refuseErased(ctx, record, one.Release, one.Manifest))
	}
	return gone, ctx.Err()
}

// refuseErased returns an error where the folder of a release lacks files that were erased.
func (p Pointed) refuseErased(ctx context.Context, l targets.Erased, id site.ID, m site.Manifest) error {
	return l.Refuse(id, m, func(f site.File) bool {
		body, err := p.t.bucket.Open(ctx, folderOf(id)+f.Path)
		if err != nil {
			return false
		}
		return body.Close() == nil
	})
}
