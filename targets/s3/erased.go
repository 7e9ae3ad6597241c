package s3

import (
	"context"
	"maps"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// readErased reads the record of what was removed.
func (t *Target) readErased(ctx context.Context) (targets.Erased, error) {
	text, err := t.bucket.ReadUpTo(ctx, documents.ErasedPath, targets.MaxErasedBytes)
	if bucket.IsMissing(err) {
		return nil, nil
	}
	return targets.DecodeErased(text), err
}

func (t *Target) writeErased(ctx context.Context, gone map[site.Digest]string) error {
	if len(gone) == 0 {
		return nil
	}
	old, err := t.readErased(ctx)
	if err != nil {
		return err
	}
	all := old.With(gone, time.Now())
	if maps.Equal(all, old) {
		return nil
	}
	_, err = t.bucket.Put(ctx, documents.ErasedPath, all.Encode(), bucket.Headers{Type: "application/json", Cache: "no-store"}, bucket.Condition{})
	return err
}
