package s3

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// clearFilling moves away what a Stage of another release has put in place where a change is committed: its
// content goes to .mirror/objects, so that the release stays staged, and what the change does not replace is
// deleted. The caller must hold the place. It may be repeated.
func (t *Target) clearFilling(ctx context.Context, h documents.StateDocument, ch *documents.Change) error {
	if h.Fill == "" || h.Fill == ch.Path {
		return nil
	}
	f, err := t.readFilling(ctx, h)
	if err != nil || f == nil || f.change.To == ch.To {
		return err
	}
	stays := t.entriesOf(ctx, ch.To)
	list, err := t.bucket.List(ctx, "")
	if err != nil {
		return err
	}
	site, own := map[string]bucket.Object{}, map[string]bucket.Object{}
	for _, o := range list {
		if documents.IsSite(o.Path) {
			site[o.Path] = o
		} else {
			own[o.Path] = o
		}
	}
	filled, err := t.filledOf(ctx, f, site, false)
	if err != nil {
		return err
	}
	var moves []documents.Copy
	inv := inventory{site: site, own: own}
	for path := range filled {
		if e := f.entries[path]; !inv.holds(e.Digest, e.Size) {
			moves = append(moves, documents.Copy{Source: path, Path: documents.ObjectPath(e.Digest), Headers: &bucket.Staged})
		}
	}
	if _, err := t.backUp(ctx, once(moves), inv); err != nil {
		return err
	}
	maps.DeleteFunc(filled, func(path string, _ bucket.Object) bool {
		_, stay := stays[path]
		return stay || ch.Beacon != nil && path == ch.Beacon.Path
	})
	for _, c := range ch.Copies {
		delete(filled, c.Path)
	}
	for _, path := range ch.Fill {
		delete(filled, path)
	}
	return t.bucket.Remove(ctx, slices.Sorted(maps.Keys(filled)))
}

// inPlace makes sure that all that a change counts on to lie in place does, given what does. What was moved
// away is copied from .mirror/objects instead, by a change that is written down.
func (t *Target) inPlace(ctx context.Context, ch *documents.Change, there, own map[string]bucket.Object) (*documents.Change, error) {
	if len(ch.Fill) == 0 {
		return ch, nil
	}
	doc, err := t.docs.ReadSnapshot(ctx, ch.To)
	if bucket.IsMissing(err) {
		return nil, fmt.Errorf("%w: %s", targets.ErrNotStaged, ch.To.Short())
	}
	if err != nil {
		return nil, err
	}
	entries, err := t.docs.ReadEntries(ctx, doc)
	if err != nil {
		return nil, err
	}
	next, inv := *ch, inventory{own: own}
	next.Fill = nil
	for _, path := range ch.Fill {
		e := entries[path]
		if o, ok := there[path]; ok && o.Size == e.Size {
			next.Fill = append(next.Fill, path)
			continue
		}
		if !inv.holds(e.Digest, e.Size) {
			return nil, fmt.Errorf("%w: the content of %q is not in the bucket", targets.ErrNotStaged, path)
		}
		next.Copies = append(next.Copies, documents.Copy{Path: path, Source: documents.ObjectPath(e.Digest), Headers: &e.Headers})
		next.Added = append(next.Added, path)
	}
	if len(next.Fill) == len(ch.Fill) {
		return ch, nil
	}
	next.Path = documents.ChangeFolder(targets.Swap{From: targets.Live(ch.From), To: ch.To}) + newChangeName()
	return &next, t.docs.WriteDocument(ctx, next.Path, &next)
}
