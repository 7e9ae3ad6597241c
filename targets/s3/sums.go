package s3

import (
	"context"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
)

// putSums puts the manifest of a release where the origin serves it, while it is staged: only who knows the ID can
// ask for it, and the beacon tells the ID once the release is live. folder ends in a slash, or is "" for the root.
func (t *Target) putSums(ctx context.Context, rel *site.Release, folder string, acl bucket.ACL) error {
	path := rel.SumsPath()
	if path == "" {
		return nil
	}
	t.sums.Store(true)
	h := ruled(t.rules, path, bucket.Headers{Type: "text/plain; charset=utf-8"})
	_, err := t.bucket.PutAs(ctx, folder+path, rel.Sums(), bucket.Attributes{Headers: &h, ACL: acl})
	return err
}

// dropSums deletes the manifests of releases that the bucket does not hold.
func (t *Target) dropSums(ctx context.Context, r targets.Retention, held []targets.Held) error {
	listed, err := t.bucket.List(ctx, site.SumsFolder)
	if err != nil {
		return err
	}
	var unused []string
	for _, o := range listed {
		id, ok := site.SumsOf(o.Path)
		if ok && !slices.ContainsFunc(held, func(h targets.Held) bool { return h.Release == id }) && !r.MayBeStaging(o.Seen.Sub(o.Modified)) {
			unused = append(unused, o.Path)
		}
	}
	return t.bucket.Remove(ctx, unused)
}
