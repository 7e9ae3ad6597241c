package s3

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// Commit copies what changes into place: assets, then pages, then the beacon, and deletes
// what is no longer wanted when all that is done. A commit that was interrupted is taken
// over by the same owner at once, and by others when its lease has run out.
func (t *Target) Commit(ctx context.Context, s targets.Swap) error {
	held := t.reservationOf(s)
	h, inv, err := t.view(ctx, held)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done, err := t.judgeCommit(h, inv, s, held)
	if err != nil {
		t.forgoFilled(ctx, h)
	}
	if done || err != nil {
		return err
	}
	ch, err := t.changeFor(ctx, h, inv, s)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if h.IsLive(s) && ch.Empty() {
		return nil
	}
	if err := t.apply(ctx, h, ch, held, false); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// view is what is known of the place. The state document that this process has reserved the place with is not
// read again: nothing is written where it is another one by now.
func (t *Target) view(ctx context.Context, held *reservation) (documents.StateDocument, inventory, error) {
	if held == nil {
		return t.glance(ctx)
	}
	h := held.own.document()
	inv := t.seen.recall(h)
	if h.None() && inv.site == nil {
		return t.glance(ctx)
	}
	return h, inv, nil
}

// judgeCommit says whether a commit is done already, or in conflict with what is live or with
// another publisher that holds the place. held may be nil; else it must be held still.
func (t *Target) judgeCommit(h documents.StateDocument, inv inventory, s targets.Swap, held *reservation) (done bool, err error) {
	switch {
	case liveOf(h, inv).Revision == s.From.Revision || isOf(h, s):
		if isOf(h, s) && h.Phase == documents.PhaseLive {
			return true, nil
		}
		if held != nil && !held.holds(h) || held == nil && !t.mayTake(h) {
			return false, documents.Conflict(h)
		}
		return false, nil
	case h.IsLive(s):
		return true, nil
	}
	return false, documents.Conflict(h)
}

// changeFor returns the change to carry out: that of the interrupted commit, the one
// staged for this swap, or a new one to a release that is staged still.
func (t *Target) changeFor(ctx context.Context, h documents.StateDocument, inv inventory, s targets.Swap) (*documents.Change, error) {
	if isOf(h, s) && h.Phase == documents.PhaseCommitting {
		return t.torn(ctx, h)
	}
	if ch := t.prepared(h, inv, s); ch != nil {
		return ch, nil
	}
	var err error
	if inv.own, err = t.listOwn(ctx); err != nil {
		return nil, err
	}
	t.docs.Listed(inv.own)
	ch, err := t.docs.FindChange(ctx, inv.own, s)
	if err != nil {
		return nil, err
	}
	if ch == nil {
		if ch, err = t.changeTo(ctx, h, inv, s); err != nil {
			return nil, err
		}
	}
	if len(ch.Fill) > 0 && h.Fill == ch.Path && inv.fill == nil {
		own := inv.own
		if inv, err = t.list(ctx, h); err != nil {
			return nil, err
		}
		inv.own = own
	}
	filled := inv.filled
	if inv.fill != nil && inv.fill.change.Path != ch.Path {
		filled = nil
	}
	if ch, err = t.inPlace(ctx, ch, filled, inv.own); err != nil {
		return nil, err
	}
	for _, c := range ch.Copies {
		if _, ok := inv.own[c.Source]; !ok && c.Text == nil {
			return nil, fmt.Errorf("%w: the content of %q is not in the bucket", targets.ErrNotStaged, c.Path)
		}
	}
	return ch, nil
}

// torn returns the change of a commit that was left half done.
func (t *Target) torn(ctx context.Context, h documents.StateDocument) (*documents.Change, error) {
	ch, err := t.docs.ReadChange(ctx, h.Change)
	if err != nil || len(ch.Fill) == 0 {
		return ch, err
	}
	there, err := t.listSite(ctx, h)
	if err != nil {
		return nil, err
	}
	own, err := t.listOwn(ctx)
	if err != nil {
		return nil, err
	}
	return t.inPlace(ctx, ch, there, own)
}

// prepared returns the change that this process has staged for a swap, nil where there is none or where
// the state document is not the one that it was staged beside.
func (t *Target) prepared(h documents.StateDocument, inv inventory, s targets.Swap) *documents.Change {
	v, _ := t.staged.Load(s)
	st, _ := v.(*staged)
	if st == nil || t.seen.recall(h).site == nil {
		return nil
	}
	if len(st.change.Fill) > 0 && (inv.fill == nil || inv.fill.change.Path != st.change.Path) {
		return nil
	}
	return st.change
}

// changeTo prepares the change to a release that was staged for another swap.
func (t *Target) changeTo(ctx context.Context, h documents.StateDocument, inv inventory, s targets.Swap) (*documents.Change, error) {
	doc, err := t.docs.ReadSnapshot(ctx, s.To)
	if bucket.IsMissing(err) {
		return nil, fmt.Errorf("%w: %s", targets.ErrNotStaged, s.To.Short())
	}
	if err != nil {
		return nil, err
	}
	want, err := t.docs.ReadEntries(ctx, doc)
	if err != nil {
		return nil, err
	}
	if inv.site == nil {
		if inv.site, err = t.listSite(ctx, h); err != nil {
			return nil, err
		}
	}
	beaconPath := ""
	if doc.Beacon != nil {
		beaconPath = doc.Beacon.Path
	}
	_, recorded := t.docs.LoadRecords(ctx, h.RecordPaths())
	c, err := t.compare(ctx, h, inv, want, recorded, beaconPath)
	if err != nil {
		return nil, err
	}
	var texts, staged map[string]string
	for _, path := range slices.Concat(c.Add, c.Change) {
		e := want[path]
		if inv.holds(e.Digest, e.Size) {
			continue
		}
		if staged == nil {
			staged = t.stagedTexts(ctx, inv, s.To)
			texts = map[string]string{}
		}
		text, ok := staged[path]
		if !ok || sha256.Sum256([]byte(text)) != e.Digest {
			return nil, fmt.Errorf("%w: the content of %q is not in the bucket", targets.ErrNotStaged, path)
		}
		texts[path] = text
	}
	return t.prepare(ctx, request{to: s.To, want: want, beacon: doc.Beacon, held: h, inv: inv, comparison: c, texts: texts})
}

// maxSought bounds the changes that are read in search of a release's texts.
const maxSought = 256

// stagedTexts returns the texts that changes to a release hold, by path. It is never nil.
func (t *Target) stagedTexts(ctx context.Context, inv inventory, to site.ID) map[string]string {
	texts := map[string]string{}
	var changes []string
	for path := range inv.own {
		if strings.HasPrefix(path, documents.ChangesFolder) {
			changes = append(changes, path)
		}
	}
	slices.Sort(changes)
	for _, path := range changes[:min(len(changes), maxSought)] {
		ch, err := t.docs.ReadChange(ctx, path)
		if err != nil || ch.To != to {
			continue // it may be anybody's
		}
		for _, c := range ch.Copies {
			if c.Text != nil {
				texts[c.Path] = *c.Text
			}
		}
	}
	return texts
}
