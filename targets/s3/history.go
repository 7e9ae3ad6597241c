package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// Bounds of one look into the past, whose documents may be anybody's.
const (
	maxPast      = 100       // releases
	maxPastFiles = 1 << 20   // of one release
	maxPastBytes = 256 << 20 // of others' content that is read
)

// Past lists the releases whose documents the bucket has, with all digests. What went live
// after what is told by the changes, as far back as they are kept; releases beyond follow by
// the age of their documents, and one that was only staged may be among those. Where another
// tool put the content there, it is listed and the objects of the paths in of are read.
func (t *Target) Past(ctx context.Context, limit int, of []string) ([]site.Past, error) {
	h, err := t.docs.ReadState(ctx)
	if err != nil {
		return nil, fmt.Errorf("past: %w", err)
	}
	limit = min(limit, maxPast)
	if limit <= 0 {
		return nil, nil
	}
	if h.None() {
		return t.pastOfOthers(ctx, h, of)
	}
	ids, err := t.sequence(ctx, h, limit)
	if err != nil {
		return nil, fmt.Errorf("past: %w", err)
	}
	var past []site.Past
	var errs []error
	for _, id := range ids {
		p, err := t.pastRelease(ctx, id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		past = append(past, p)
	}
	if len(past) == 0 && len(errs) > 0 || ctx.Err() != nil {
		return nil, fmt.Errorf("past: %w", errors.Join(errs...))
	}
	return past, nil
}

// sequence names the releases that were live, the newest first. While a commit is under way
// the one that it leads to is the newest.
func (t *Target) sequence(ctx context.Context, h documents.StateDocument, limit int) ([]site.ID, error) {
	var ids []site.ID
	add := func(id site.ID) {
		if id != site.None && (len(ids) == 0 || ids[len(ids)-1] != id) {
			ids = append(ids, id)
		}
	}
	now := h.State
	if now.Phase == documents.PhaseCommitting {
		add(now.To)
	}
	for range 2 * limit {
		add(now.Release)
		if len(ids) >= limit || !strings.HasPrefix(now.Change, documents.ChangesFolder) {
			return ids[:min(len(ids), limit)], nil
		}
		ch, err := t.docs.ReadChange(ctx, now.Change)
		if err != nil {
			break // it was pruned
		}
		if now, err = documents.DecodeState(ch.Before); err != nil || now == nil {
			return ids, nil // nothing of ours was there before
		}
	}
	rest, err := t.olderThan(ctx, ids)
	ids = append(ids, rest...)
	return ids[:min(len(ids), limit)], err
}

// olderThan names the releases whose documents are not younger than that of the last of ids,
// the youngest first.
func (t *Target) olderThan(ctx context.Context, ids []site.ID) ([]site.ID, error) {
	listed, err := t.bucket.List(ctx, documents.ReleasesFolder)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	last := slices.IndexFunc(listed, func(o bucket.Object) bool { return o.Path == documents.ReleasePath(ids[len(ids)-1]) })
	if last < 0 {
		return nil, nil
	}
	oldest := listed[last].Modified
	slices.SortStableFunc(listed, func(a, b bucket.Object) int { return b.Modified.Compare(a.Modified) })
	var rest []site.ID
	for _, o := range listed {
		id, err := site.ParseID(strings.TrimPrefix(o.Path, documents.ReleasesFolder))
		if err == nil && !slices.Contains(ids, id) && !o.Modified.After(oldest) {
			rest = append(rest, id)
		}
	}
	return rest, nil
}

// pastRelease reads a release's document. Its id vouches for paths and digests.
func (t *Target) pastRelease(ctx context.Context, id site.ID) (site.Past, error) {
	p, _, err := t.pastEntries(ctx, id)
	return p, err
}

// pastEntries is pastRelease, with how the bucket stores the files.
func (t *Target) pastEntries(ctx context.Context, id site.ID) (site.Past, documents.Entries, error) {
	s, err := t.docs.ReadSnapshot(ctx, id)
	if err != nil {
		return site.Past{}, nil, err
	}
	if err := s.InBounds(); err != nil {
		return site.Past{}, nil, fmt.Errorf("release %s: %w", id.Short(), err)
	}
	all, err := t.docs.ReadEntries(ctx, s)
	if err != nil {
		return site.Past{}, nil, err
	}
	if len(all) > maxPastFiles {
		return site.Past{}, nil, fmt.Errorf("release %s: its document lists other files", id.Short())
	}
	m := manifestOf(all)
	if m.ID() != id {
		return site.Past{}, nil, fmt.Errorf("release %s: its document lists other files", id.Short())
	}
	return site.Past{Release: id, Published: s.Published(), Manifest: m}, all, nil
}

// pastOfOthers lists what is live and reads the objects that are asked for.
func (t *Target) pastOfOthers(ctx context.Context, h documents.StateDocument, of []string) ([]site.Past, error) {
	listed, err := t.listSite(ctx, h)
	if err != nil || len(listed) == 0 {
		return nil, err
	}
	m := make(site.Manifest, 0, len(listed))
	for path, o := range listed {
		if t.keep.Match(path) {
			continue
		}
		m = append(m, site.File{Path: path, Size: o.Size})
	}
	m.Sort()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(t.bucket.Limit)
	left := int64(maxPastBytes)
	asked := slices.Compact(slices.Sorted(slices.Values(of)))
	for i := range m {
		_, wanted := slices.BinarySearch(asked, m[i].Path)
		if left -= m[i].Size; !wanted || left < 0 {
			left += m[i].Size
			continue
		}
		g.Go(func() error {
			d, n, err := t.bucket.Digest(gctx, m[i].Path)
			if err == nil && n == m[i].Size {
				m[i].Digest = d
			}
			return gctx.Err() // one that cannot be read stays unknown
		})
	}
	return []site.Past{{Manifest: m}}, g.Wait()
}

// manifestOf lists entries as a manifest.
func manifestOf(all documents.Entries) site.Manifest {
	m := make(site.Manifest, 0, len(all))
	for _, e := range all {
		m = append(m, e.File())
	}
	m.Sort()
	return m
}
