package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// Plan lists the bucket, and reads the objects that no record vouches for. A service that
// replaces an object's metadata in place, without a new time stamp, hides that from Plan.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	rel, want, err := t.wanted(ctx, rel)
	if err != nil {
		return targets.Plan{}, err
	}
	h, err := t.docs.ReadState(ctx)
	if err != nil {
		return targets.Plan{}, fmt.Errorf("plan: %w", err)
	}
	inv, err := t.list(ctx, h)
	if err != nil {
		return targets.Plan{}, fmt.Errorf("plan: %w", err)
	}
	t.seen.notePlan(h, inv)
	_, recorded := t.docs.LoadRecords(ctx, h.RecordPaths())
	c, err := t.compare(ctx, h, inv, want, recorded, rel.BeaconPath)
	if err != nil {
		return targets.Plan{}, fmt.Errorf("plan: %w", err)
	}
	plan := targets.Plan{Live: liveOf(h, inv), Changes: c.Changes, Kept: c.kept, Metadata: map[string]string{}, Sequence: t.liveSequence(ctx, h)}
	plan.StaysInGrace(c.grace)
	for _, path := range c.Metadata {
		plan.Metadata[path] = want[path].Content.Headers.Differences(c.known[path].Headers)
	}
	if len(c.Delete) > 0 && !t.recorded(ctx, h, inv, rel.BeaconPath) {
		plan.Foreign = c.Delete
	}
	for _, path := range slices.Concat(c.Add, c.Change) {
		plan.Bytes += want[path].Size
	}
	return plan, nil
}

// Live tells the live release. While a commit is under way, or was left half done, that
// is none.
func (t *Target) Live(ctx context.Context) (targets.Live, error) {
	h, inv, err := t.glance(ctx)
	if err != nil {
		return targets.Live{}, fmt.Errorf("look what is live: %w", err)
	}
	return liveOf(h, inv), nil
}

const maxCopy = 5 << 30 // bytes that one CopyObject takes (S3 API reference)

// wanted describes the release's files as they are to lie in the bucket, or refuses. It returns the release with the bytes
// that are to be stored.
func (t *Target) wanted(ctx context.Context, rel *site.Release) (*site.Release, documents.Entries, error) {
	want, err := t.entriesFor(rel)
	if err != nil {
		return nil, nil, err
	}
	rel, err = t.compress(ctx, rel, want)
	return rel, want, err
}

// entriesFor describes the release's files as they are, or refuses.
func (t *Target) entriesFor(rel *site.Release) (documents.Entries, error) {
	want := make(documents.Entries, len(rel.Manifest))
	for _, f := range rel.Manifest {
		if err := t.refuse(f); err != nil {
			return nil, err
		}
		h, err := t.headersFor(rel, f)
		if err != nil {
			return nil, err
		}
		want[f.Path] = documents.Entry{Path: f.Path, Size: f.Size, Content: verified.Content{Digest: f.Digest, Headers: h}}
	}
	return want, nil
}

// refuse says what no bucket can hold.
func (t *Target) refuse(f site.File) error {
	key := t.bucket.Prefix + f.Path
	switch {
	case f.Path == documents.OwnFolder || strings.HasPrefix(f.Path, documents.OwnPrefix):
		return &targets.RefusedError{Path: f.Path, Reason: "this folder is the target's own", Hint: "exclude .mirror/** from the site"}
	case len(key) > documents.MaxKey:
		return &targets.RefusedError{Path: f.Path, Reason: fmt.Sprintf("its key has %d bytes, and S3 takes %d", len(key), documents.MaxKey), Hint: "shorten the path, or the prefix"}
	case f.Size > maxCopy:
		return &targets.RefusedError{Path: f.Path, Reason: fmt.Sprintf("it has %d bytes, and S3 copies at most 5 GiB", f.Size), Hint: "serve it from elsewhere and exclude it"}
	case !utf8.ValidString(key) || strings.ContainsFunc(key, unlistable):
		return &targets.RefusedError{Path: f.Path, Reason: "its name has characters that an S3 listing cannot show", Hint: "rename it, or exclude it"}
	}
	return nil
}

// unlistable are the characters that XML 1.0, and so a listing, has no way to write, and
// the line breaks that it changes.
func unlistable(r rune) bool {
	return r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff
}

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
