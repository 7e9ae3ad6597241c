package s3

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// filling is a release whose content a Stage has put in place, or puts, while nothing is live.
type filling struct {
	change  *documents.Change
	entries documents.Entries // of the release
}

// readFilling reads what a state's Fill names. Where its documents are gone, so is what is known of it: nil.
func (t *Target) readFilling(ctx context.Context, h documents.StateDocument) (*filling, error) {
	ch, err := t.docs.ReadChange(ctx, h.Fill)
	if bucket.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	doc, err := t.docs.ReadSnapshot(ctx, ch.To)
	if bucket.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := t.docs.ReadEntries(ctx, doc)
	return &filling{ch, entries}, err
}

// setFilledApart takes the keys that a Stage has put in place out of what is listed as the site, while
// nothing is live: they are ours, and of no release that was live. What another tool has put at such a key
// stays: while the publisher is at work its size tells, and else its bytes do.
func (t *Target) setFilledApart(ctx context.Context, h documents.StateDocument, inv inventory) (inventory, error) {
	if h.Fill == "" || !h.None() {
		return inv, nil
	}
	f, err := t.readFilling(ctx, h)
	if err != nil || f == nil {
		return inv, err
	}
	inv.fill = f
	inv.filled, err = t.filledOf(ctx, f, inv.site, !t.mayTake(h))
	for path := range inv.filled {
		delete(inv.site, path)
	}
	return inv, err
}

// filledOf picks the listed objects that a filling has put in place. With bySize their bytes are not looked at.
func (t *Target) filledOf(ctx context.Context, f *filling, listed map[string]bucket.Object, bySize bool) (map[string]bucket.Object, error) {
	out, doubtful := map[string]bucket.Object{}, []bucket.Object(nil)
	for _, path := range f.change.Fill {
		o, there := listed[path]
		e, known := f.entries[path]
		switch {
		case !there || !known || o.Size != e.Size:
		case bySize || t.verified.Has(o, e.Content):
			out[path] = o
		default:
			doubtful = append(doubtful, o)
		}
	}
	read, err := t.hashAll(ctx, doubtful)
	for path, c := range read {
		if c.Digest == f.entries[path].Digest {
			out[path] = listed[path]
		}
	}
	return out, err
}

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
	for _, c := range ch.Copies {
		delete(filled, c.Path)
	}
	for _, path := range ch.Fill {
		delete(filled, path)
	}
	if ch.Beacon != nil {
		delete(filled, ch.Beacon.Path)
	}
	return t.bucket.Remove(ctx, slices.Sorted(maps.Keys(filled)))
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

// receipts are the facts that follow from what the service said of what it stored.
func receipts(entries documents.Entries, made map[string]bucket.Receipt) []verified.Fact {
	var all []verified.Fact
	for path, r := range made {
		if e, ok := entries[path]; ok && r.ETag != "" && !r.At.IsZero() {
			all = append(all, verified.ReceiptOf(path, e.Size, r, e.Content))
		}
	}
	return all
}
