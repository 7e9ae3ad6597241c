package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// Prune deletes the releases that r lets expire, the changes that no longer lead anywhere,
// and all content that nothing left refers to. What is young and of unknown use stays: it
// may be of a Stage under way. While another publisher commits it gives ErrConflict.
func (t *Target) Prune(ctx context.Context, r targets.Retention) error {
	if err := t.shortenGrace(ctx); err != nil && !isConflict(err) && !errors.Is(err, targets.ErrReserved) {
		return fmt.Errorf("prune: %w", err)
	}
	if err := t.pruneOwn(ctx, r); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	if err := t.pruneSums(ctx, r); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}

// pruneSums deletes the manifests of the releases that were dropped, where there are any.
func (t *Target) pruneSums(ctx context.Context, r targets.Retention) error {
	if !t.sums.Load() {
		return nil
	}
	own, err := t.listOwn(ctx)
	if err != nil {
		return err
	}
	return t.dropSums(ctx, r, inventory{own: own}.releases())
}

// pruneOwn deletes our own objects that are of no use any more.
func (t *Target) pruneOwn(ctx context.Context, r targets.Retention) error {
	if t.nothingUnused(ctx, r) {
		return nil
	}
	h, inv, err := t.lookForPrune(ctx)
	if err != nil {
		return err
	}
	if h.Reserved == nil && !t.mayTake(h) {
		return documents.Conflict(h)
	}
	t.endOld(ctx, inv.own, r)
	unused, err := t.unused(ctx, h, inv, r)
	if err != nil {
		return err
	}
	return t.bucket.Remove(ctx, unused)
}

// nothingUnused reports whether the last listing, from before the commit of this process, shows that there is
// nothing to delete.
func (t *Target) nothingUnused(ctx context.Context, r targets.Retention) bool {
	h, inv, known := t.seen.lastSeen()
	if !known || inv.own == nil || hasUploads(inv.own) || h.None() || h.Phase != documents.PhaseLive || h.Reserved != nil {
		return false
	}
	unused, err := t.unused(ctx, h, inv, r)
	return err == nil && len(unused) == 0
}

// lookForPrune reads the state, and lists our own objects and, where only they tell what is live, the site's.
func (t *Target) lookForPrune(ctx context.Context) (documents.StateDocument, inventory, error) {
	h, inv, err := t.glance(ctx)
	if err == nil {
		inv.own, err = t.listOwn(ctx)
		t.docs.Listed(inv.own)
	}
	return h, inv, err
}

// unused lists what to delete. Releases come first: a crash in between leaves content
// without a release, never a release without its content.
func (t *Target) unused(ctx context.Context, h documents.StateDocument, inv inventory, r targets.Retention) ([]string, error) {
	lived, err := t.lived(ctx, h)
	if err != nil {
		return nil, err
	}
	all := inv.releases()
	expired := r.Expired(all, lived)
	used, err := t.inUse(ctx, h, inv, retained(h, all, expired))
	if err != nil {
		return nil, err
	}
	ended, err := t.markEnded(ctx, h, inv, expired)
	if err != nil {
		return nil, err
	}
	var unused []string
	for path, o := range inv.own {
		young := r.MayBeStaging(o.Seen.Sub(o.Modified))
		if !used[path] && !strings.HasPrefix(path, documents.UploadsFolder) && (ended[path] || !young) {
			unused = append(unused, path)
		}
	}
	slices.Sort(unused)
	slices.SortStableFunc(unused, func(a, b string) int { return rank(a) - rank(b) })
	return unused, nil
}

// lived lists what was live, the latest first: what the state remembers, and, in a bucket of
// an earlier version of mirror, what the changes and the ages of the documents tell.
func (t *Target) lived(ctx context.Context, h documents.StateDocument) ([]site.ID, error) {
	if h.None() {
		return nil, nil
	}
	if len(h.Previous) > 0 {
		return h.Lived(), nil
	}
	return t.sequence(ctx, h, maxPast)
}

// releases lists the releases whose documents are there.
func (inv inventory) releases() []targets.Held {
	var all []targets.Held
	for path, o := range inv.own {
		name, ok := strings.CutPrefix(path, documents.ReleasesFolder)
		if id, err := site.ParseID(name); ok && err == nil {
			all = append(all, targets.Held{Release: id, Age: o.Seen.Sub(o.Modified)})
		}
	}
	return all
}

// retained lists the releases that stay, also those that a commit under way or its undoing needs.
func retained(h documents.StateDocument, all []targets.Held, expired []site.ID) []site.ID {
	var ids []site.ID
	for _, r := range all {
		if !slices.Contains(expired, r.Release) {
			ids = append(ids, r.Release)
		}
	}
	if !h.None() {
		ids = append(ids, h.Release, h.From.Release, h.To)
	}
	return ids
}

func rank(path string) int {
	if strings.HasPrefix(path, documents.ReleasesFolder) || strings.HasPrefix(path, documents.ChangesFolder) {
		return 0
	}
	return 1
}

// inUse marks all of our own objects that are still referred to.
func (t *Target) inUse(ctx context.Context, h documents.StateDocument, inv inventory, ids []site.ID) (map[string]bool, error) {
	used := map[string]bool{documents.StatePath: true, documents.ProbePath: true, documents.NotesPath: true, documents.ErasedPath: true}
	if !h.None() {
		for _, path := range append(slices.Clone(h.Records), h.Grace) {
			used[path] = true
		}
	}
	if h.Fill != "" {
		if err := t.markChange(ctx, used, h.Fill); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		if err := t.markRelease(ctx, used, id); err != nil {
			return nil, err
		}
	}
	for path := range inv.own {
		if strings.HasPrefix(path, documents.ChangesFolder) && (!h.None() && path == h.Change || t.leadsOn(path, h, inv, ids)) {
			if err := t.markChange(ctx, used, path); err != nil {
				return nil, err
			}
		}
	}
	return used, nil
}

// markEnded marks what expired releases refer to, and the changes that were carried out or can
// no longer be, because they begin at another state than is live.
func (t *Target) markEnded(ctx context.Context, h documents.StateDocument, inv inventory, expired []site.ID) (map[string]bool, error) {
	ended := map[string]bool{}
	for _, id := range expired {
		if err := t.markRelease(ctx, ended, id); err != nil {
			t.log.Debug("the document of a release that is dropped cannot be read", "release", id, "err", err)
		}
		ended[documents.ReleasePath(id)] = true
	}
	for path := range inv.own {
		if !strings.HasPrefix(path, documents.ChangesFolder) {
			continue
		}
		ch, err := t.docs.ReadChange(ctx, path)
		if err == nil && !h.None() && path == h.Change {
			for _, c := range ch.Restores {
				ended[c.Source] = ended[c.Source] || t.isOver(ch, c)
			}
		}
		if err != nil || ch.From.Revision == liveOf(h, inv).Revision || holdsTexts(ch) && !slices.Contains(h.Lived(), ch.To) && !slices.Contains(expired, ch.To) {
			continue // it may be carried out yet, or holds a part of a release that may
		}
		ended[path] = true
		for _, c := range slices.Concat(ch.Copies, ch.Restores) {
			ended[c.Source] = true
		}
	}
	return ended, ctx.Err()
}

// holdsTexts reports whether a change holds content itself.
func holdsTexts(ch *documents.Change) bool {
	return slices.ContainsFunc(ch.Copies, func(c documents.Copy) bool { return c.Text != nil })
}

// markRelease marks a release's document, parts and content.
func (t *Target) markRelease(ctx context.Context, used map[string]bool, id site.ID) error {
	if id == site.None || used[documents.ReleasePath(id)] {
		return nil
	}
	s, err := t.docs.ReadSnapshot(ctx, id)
	if bucket.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	files, err := t.docs.ReadEntries(ctx, s)
	if err != nil {
		return err
	}
	used[documents.ReleasePath(id)] = true
	for _, p := range s.Parts {
		used[p.Path] = true
	}
	for _, e := range files {
		used[documents.ObjectPath(e.Digest)] = true
	}
	return nil
}

// isOver reports whether a copy only brings back a file of an earlier release whose time is over, and this process has
// made the commit: it prunes after its publish, which is not undone any more.
func (t *Target) isOver(ch *documents.Change, c documents.Copy) bool {
	if !slices.Contains(ch.Ended, c.Path) || slices.ContainsFunc(ch.Copies, func(put documents.Copy) bool { return put.Source == c.Source }) {
		return false
	}
	_, made := t.made.Load(targets.Swap{From: targets.Live(ch.From), To: ch.To})
	return made
}

// leadsOn reports whether a change begins at what is live and leads to a kept release.
func (t *Target) leadsOn(path string, h documents.StateDocument, inv inventory, ids []site.ID) bool {
	return slices.ContainsFunc(ids, func(id site.ID) bool {
		return id != site.None && strings.HasPrefix(path, documents.ChangeFolder(targets.Swap{From: liveOf(h, inv), To: id}))
	})
}

// markChange marks a change with the content that it copies and restores, and the
// records of the state that undoing it leads to.
func (t *Target) markChange(ctx context.Context, used map[string]bool, path string) error {
	ch, err := t.docs.ReadChange(ctx, path)
	if bucket.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	used[path], used[ch.Grace] = true, true
	for _, c := range slices.Concat(ch.Copies, ch.Restores) {
		if !t.isOver(ch, c) {
			used[c.Source] = true
		}
	}
	if len(ch.Fill) > 0 {
		if err := t.markRelease(ctx, used, ch.To); err != nil {
			return err
		}
	}
	origin, err := documents.DecodeState(ch.Before)
	if err != nil || origin == nil {
		return err
	}
	for _, r := range append(slices.Clone(origin.Records), origin.Grace) {
		used[r] = true
	}
	if origin.Change != "" {
		used[origin.Change] = true
	}
	return t.markRelease(ctx, used, origin.Release)
}
