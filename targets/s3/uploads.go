package s3

import (
	"context"
	"strings"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/multipart"
)

// endUploads gives up interrupted uploads of large files that are over. What cannot be given up is left to a later publish.
func (t *Target) endUploads(ctx context.Context, own map[string]bucket.Object, over func(n multipart.Note, o bucket.Object) bool) {
	for path, o := range own {
		if !strings.HasPrefix(path, documents.UploadsFolder) {
			continue
		}
		if err := t.uploads.End(ctx, path, func(n multipart.Note) bool { return over(n, o) }); err != nil {
			t.log.Warn("parts of an interrupted upload are left in the bucket", "note", t.bucket.Prefix+path, "err", err)
		}
	}
}

// endOther gives up what this publisher has begun to send and a release does not have.
func (t *Target) endOther(ctx context.Context, own map[string]bucket.Object, rel *site.Release) {
	t.endUploads(ctx, own, func(n multipart.Note, _ bucket.Object) bool {
		if n.Owner != t.owner {
			return false
		}
		for _, f := range rel.Manifest {
			if f.Digest == n.Digest {
				return false
			}
		}
		return true
	})
}

// endOther gives up what this publisher has begun to send and a release does not have.
func (p Pointed) endOther(ctx context.Context, rel *site.Release) error {
	list, err := p.t.bucket.List(ctx, documents.UploadsFolder)
	own := map[string]bucket.Object{}
	for _, o := range list {
		own[o.Path] = o
	}
	p.t.endOther(ctx, own, rel)
	return err
}

// endOld gives up what no publish under way can be sending.
func (t *Target) endOld(ctx context.Context, own map[string]bucket.Object, r targets.Retention) {
	t.endUploads(ctx, own, func(_ multipart.Note, o bucket.Object) bool { return !r.MayBeStaging(o.Seen.Sub(o.Modified)) })
}

// hasUploads reports whether there are notes of uploads.
func hasUploads(own map[string]bucket.Object) bool {
	for path := range own {
		if strings.HasPrefix(path, documents.UploadsFolder) {
			return true
		}
	}
	return false
}
