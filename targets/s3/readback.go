package s3

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// ReadBack reads every object of the site and hashes its bytes.
func (t *Target) ReadBack(ctx context.Context) (site.Manifest, error) {
	h, err := t.docs.ReadState(ctx)
	if err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	listed, err := t.listSite(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	kept, err := t.keptPaths(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	var m site.Manifest
	for path := range listed {
		if !slices.Contains(h.BeaconPaths(""), path) && !kept(path) {
			m = append(m, site.File{Path: path})
		}
	}
	m.Sort()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(t.bucket.Limit)
	for i := range m {
		g.Go(func() (err error) {
			m[i].Digest, m[i].Size, err = t.bucket.Digest(gctx, m[i].Path)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	return m, t.asPlain(ctx, h, m)
}

// keptPaths tells which of the listed paths are not those of the live release.
func (t *Target) keptPaths(ctx context.Context, h documents.StateDocument) (func(path string) bool, error) {
	l := t.graceOf(ctx, h)
	if len(t.keep)+len(l) == 0 || h.None() || h.Base() == site.None {
		return t.keep.Match, nil
	}
	s, err := t.docs.ReadSnapshot(ctx, h.Base())
	if bucket.IsMissing(err) {
		return t.keep.Match, nil
	}
	if err != nil {
		return nil, err
	}
	own, err := t.docs.ReadEntries(ctx, s)
	return func(path string) bool { _, ours := own[path]; return !ours && (t.keep.Match(path) || l.Has(path)) }, err
}
