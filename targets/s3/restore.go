package s3

import (
	"context"
	"fmt"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
)

// Restore reads the document of a release. Its files are among the staged objects, and those of the
// live release may be at their live keys alone.
func (t *Target) Restore(ctx context.Context, id site.ID) (targets.Restored, error) {
	p, all, err := t.pastEntries(ctx, id)
	if bucket.IsMissing(err) {
		err = fmt.Errorf("%s: %w", id.Short(), targets.ErrNotHeld)
	}
	if err == nil {
		var gone targets.Erased
		if gone, err = t.readErased(ctx); err == nil {
			err = t.refuseErased(ctx, gone, p, all)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return restored{t.bucket, p.Manifest, all}, nil
}
