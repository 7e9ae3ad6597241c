package s3

import (
	"context"
	"fmt"
	"io"

	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

var _ targets.Restorer = (*Target)(nil)

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
			err = gone.Refuse(id, p.Manifest)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return restored{t.bucket, p.Manifest, all}, nil
}

// restored is a release whose objects the bucket has.
type restored struct {
	bucket   *bucket.Bucket
	manifest site.Manifest
	entries  documents.Entries
}

// Manifest returns the files that the release's document lists.
func (r restored) Manifest() site.Manifest { return r.manifest }

// Copy reads an object of the release.
func (r restored) Copy(ctx context.Context, w io.Writer, f site.File) error {
	e := r.entries[f.Path]
	body, err := r.bucket.Open(ctx, documents.ObjectPath(e.Digest))
	if bucket.IsMissing(err) {
		body, err = r.bucket.Open(ctx, f.Path)
	}
	if err != nil {
		return err
	}
	defer body.Close()
	plain, err := decoded(e, io.LimitReader(wait.Reader(ctx, body), e.Size+1))
	if err != nil {
		return err
	}
	defer plain.Close()
	_, err = io.Copy(w, io.LimitReader(plain, f.Size+1)) // one byte more shows that it was altered
	return err
}

// Close has nothing to do.
func (restored) Close() error { return nil }

// liveSequence returns the sequence of the live release's beacon, 0 where it has none.
func (t *Target) liveSequence(ctx context.Context, h documents.StateDocument) int64 {
	if h.None() || h.Base() == site.None {
		return 0
	}
	s, err := t.docs.ReadSnapshot(ctx, h.Base())
	if err != nil || s.Beacon == nil {
		return 0
	}
	b, err := site.ParseBeacon(s.Beacon.Body)
	if err != nil {
		return 0
	}
	return b.Sequence
}
