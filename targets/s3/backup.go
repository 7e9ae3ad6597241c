package s3

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"mirror/targets/s3/internal/documents"
)

// backUp makes copies of listed objects. certain says that the service showed each to be of what was listed.
func (t *Target) backUp(ctx context.Context, backups []documents.Copy, inv inventory) (certain bool, err error) {
	var doubts atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.bucket.Limit)
	for _, b := range backups {
		g.Go(func() error {
			from := inv.site[b.Source]
			made, err := t.bucket.Copy(ctx, b.Source, b.Path, b.Headers, from.ETag)
			if made.ETag == "" || made.ETag != from.ETag {
				doubts.Add(1)
			}
			return err
		})
	}
	err = g.Wait()
	return doubts.Load() == 0, err
}

// once leaves out the copies to a path that has one already.
func once(all []documents.Copy) []documents.Copy {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(c documents.Copy) bool {
		twice := seen[c.Path]
		seen[c.Path] = true
		return twice
	})
}
