package s3

import (
	"context"
	"maps"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// inventory returns everything, from the last listing as far as it still counts.
func (t *Target) inventory(ctx context.Context, h documents.StateDocument) (inventory, error) {
	inv := t.seen.recall(h)
	var err error
	if inv.site == nil {
		if inv, err = t.list(ctx, h); err != nil {
			return inventory{}, err
		}
	}
	if inv.own == nil {
		if inv.own, err = t.listOwn(ctx); err != nil {
			return inventory{}, err
		}
	}
	t.docs.Listed(inv.own)
	t.seen.note(h, inv)
	return inv, nil
}

func (t *Target) listOwn(ctx context.Context) (map[string]bucket.Object, error) {
	list, err := t.bucket.List(ctx, documents.OwnPrefix)
	out := make(map[string]bucket.Object, len(list))
	for _, o := range list {
		out[o.Path] = o
	}
	return out, err
}

// list lists the site's keys, in several parts at once where an earlier listing shows how to divide them.
// It jumps over our own folder where that does not end with the page on which it begins; with a service
// that cannot jump it reads on from the start. It jumps to a key that is there once a state is: some
// services drop the first key after one that is not.
func (t *Target) list(ctx context.Context, h documents.StateDocument) (inventory, error) {
	segments := t.segments(h)
	all, skipped, err := t.bucket.ListSegments(ctx, segments)
	if err == nil && skipped[0] {
		until := segments[0].Until
		var rest []bucket.Object
		rest, _, err = t.bucket.ListSegments(ctx, []bucket.Segment{{After: documents.ProbePath, Until: until}})
		all = append(all, rest...)
	}
	if err != nil {
		return inventory{}, err
	}
	inv := inventory{site: make(map[string]bucket.Object, len(all)), own: map[string]bucket.Object{}}
	for _, o := range all {
		switch {
		case strings.HasPrefix(o.Path, documents.OwnPrefix):
			inv.own[o.Path] = o
		case documents.IsSite(o.Path):
			inv.site[o.Path] = o
		case site.IsSums(o.Path):
			t.sums.Store(true)
		}
	}
	if skipped[0] {
		inv.own = nil
	}
	if t.divide(inv); inv.own != nil {
		t.docs.Listed(inv.own)
	}
	return t.setFilledApart(ctx, h, inv)
}

// listSite lists the site's keys alone.
func (t *Target) listSite(ctx context.Context, h documents.StateDocument) (map[string]bucket.Object, error) {
	inv, err := t.list(ctx, h)
	return inv.site, err
}

// glance reads the state. Only where there is none it lists the site, whose revision
// tells what is live then.
func (t *Target) glance(ctx context.Context) (documents.StateDocument, inventory, error) {
	h, err := t.docs.ReadState(ctx)
	if err != nil || !h.None() {
		return h, inventory{}, err
	}
	inv := t.seen.recall(h)
	if inv.site == nil {
		inv, err = t.list(ctx, h)
	}
	return h, inv, err
}

// segments are the parts in which the bucket is listed. The first one holds our own folder.
func (t *Target) segments(h documents.StateDocument) []bucket.Segment {
	first := bucket.Segment{}
	if h.ETag() != "" {
		first.Skip = func(path string) bool { return strings.HasPrefix(path, documents.OwnPrefix) }
	}
	all := []bucket.Segment{first}
	for _, path := range t.bounds.list() {
		all[len(all)-1].Until = path
		all = append(all, bucket.Segment{After: path})
	}
	return all
}

// divide remembers where the next listing can be divided.
func (t *Target) divide(inv inventory) {
	paths := slices.Sorted(maps.Keys(inv.site))
	start, _ := slices.BinarySearch(paths, documents.ProbePath)
	var next []string
	for i := start; i < len(paths); i++ {
		if n := i + len(inv.own); n/t.bounds.apart > len(next) && i+1 < len(paths) {
			next = append(next, paths[i])
		}
	}
	if err := t.bounds.keep(next); err != nil {
		t.log.Warn("the boundaries of the listing could not be saved; the next publish lists the bucket in one sequence", "err", err)
	}
}
