package s3

import (
	"context"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

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

// setFilledApart takes the keys that a Stage has put in place out of what is listed as the site, until a
// commit begins: they are ours, and of no release that is live. What another tool has put at such a key
// stays: while the publisher is at work its size tells, and else its bytes do.
func (t *Target) setFilledApart(ctx context.Context, h documents.StateDocument, inv inventory) (inventory, error) {
	if h.Fill == "" || !h.None() && h.Phase == documents.PhaseCommitting {
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

// entriesOf returns the files of a release, none where its document is not readable.
func (t *Target) entriesOf(ctx context.Context, id site.ID) documents.Entries {
	if id == site.None {
		return nil
	}
	doc, err := t.docs.ReadSnapshot(ctx, id)
	if err != nil {
		return nil
	}
	all, err := t.docs.ReadEntries(ctx, doc)
	if err != nil {
		return nil
	}
	return all
}
