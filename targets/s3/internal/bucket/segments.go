package bucket

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Segment is a part of a listing: the paths behind After up to Until, which belongs to it.
type Segment struct {
	After string // "" for the start. Some services drop the first key behind one that is not there
	Until string // "" for the end
	// Skip ends the segment early, at a page whose last path it is true for; nil for never.
	Skip func(path string) bool
}

// ListSegments lists several segments at once, which lie in order, one behind the other. Skipped are those
// that Skip has ended. Where the path between two segments is not there any more, the first one goes on
// through the second, of which the service may have dropped a key.
func (b *Bucket) ListSegments(ctx context.Context, segments []Segment) (all []Object, skipped []bool, err error) {
	found := make([][]Object, len(segments))
	skipped = make([]bool, len(segments))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(b.Limit)
	for i, s := range segments {
		g.Go(func() (err error) {
			found[i], skipped[i], err = b.listSegment(gctx, s)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	for i, s := range segments {
		all = append(all, found[i]...)
		last := len(found[i]) - 1
		if i+1 == len(segments) || skipped[i] || last >= 0 && found[i][last].Path == s.Until {
			continue
		}
		again := Segment{After: s.After, Until: segments[i+1].Until}
		if last >= 0 {
			again.After = found[i][last].Path
		}
		rest, _, err := b.listSegment(ctx, again)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, rest...)
	}
	return all, skipped, nil
}

// listSegment returns the objects of one segment, in order, and whether Skip ended it.
func (b *Bucket) listSegment(ctx context.Context, s Segment) (list []Object, skipped bool, err error) {
	enough := func(path string) bool {
		skipped = s.Skip != nil && s.Skip(path)
		return skipped || s.Until != "" && path >= s.Until
	}
	list, stopped, err := b.listFrom(ctx, "", s.After, s.Until != "", enough)
	if err != nil {
		return nil, false, err
	}
	if s.Until != "" {
		list = slices.DeleteFunc(list, func(o Object) bool { return o.Path > s.Until })
	}
	return list, stopped && skipped, nil
}
