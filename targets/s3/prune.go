package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets"
)

// Prune deletes the releases that are neither kept nor live, the changes that no longer
// lead anywhere, and all content that nothing left refers to. While somebody else
// commits it gives ErrConflict.
func (t *Target) Prune(ctx context.Context, keep []site.ID) error {
	h, inv, err := t.look(ctx)
	if err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	if !h.none() && h.Phase == committing && !t.mayTake(h) {
		return fmt.Errorf("prune: %w", conflict(h))
	}
	used, err := t.inUse(ctx, h, inv, keep)
	if err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	var unused []string
	for path := range inv.own {
		if !used[path] {
			unused = append(unused, path)
		}
	}
	slices.Sort(unused)
	// Releases first: a crash in between leaves content without a release, never a
	// release without its content.
	slices.SortStableFunc(unused, func(a, b string) int { return rank(a) - rank(b) })
	if err := t.remove(ctx, unused); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}

func rank(path string) int {
	if strings.HasPrefix(path, releases) || strings.HasPrefix(path, changes) {
		return 0
	}
	return 1
}

// inUse marks all of our own objects that are still referred to.
func (t *Target) inUse(ctx context.Context, h held, inv inventory, keep []site.ID) (map[string]bool, error) {
	used := map[string]bool{statePath: true, probePath: true}
	ids := slices.Clone(keep)
	if !h.none() {
		ids = append(ids, h.Release, h.From.Release, h.To)
		for _, path := range h.Records {
			used[path] = true
		}
	}
	for _, id := range ids {
		if err := t.markRelease(ctx, used, id); err != nil {
			return nil, err
		}
	}
	for path := range inv.own {
		if strings.HasPrefix(path, changes) && (!h.none() && path == h.Change || t.leadsOn(path, h, inv, ids)) {
			if err := t.markChange(ctx, used, path); err != nil {
				return nil, err
			}
		}
	}
	return used, nil
}

// markRelease marks a release's document, parts and content.
func (t *Target) markRelease(ctx context.Context, used map[string]bool, id site.ID) error {
	if id == site.None || used[releasePath(id)] {
		return nil
	}
	s, err := t.readSnapshot(ctx, id)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	files, err := t.readEntries(ctx, s)
	if err != nil {
		return err
	}
	used[releasePath(id)] = true
	for _, p := range s.Parts {
		used[p.Path] = true
	}
	for _, e := range files {
		used[objectPath(e.Digest)] = true
	}
	return nil
}

// leadsOn reports whether a change begins at what is live and leads to a kept release.
func (t *Target) leadsOn(path string, h held, inv inventory, ids []site.ID) bool {
	return slices.ContainsFunc(ids, func(id site.ID) bool {
		return id != site.None && strings.HasPrefix(path, changeFolder(targets.Swap{From: h.live(inv), To: id}))
	})
}

// markChange marks a change with the content that it copies and restores, and the
// records of the state that undoing it leads to.
func (t *Target) markChange(ctx context.Context, used map[string]bool, path string) error {
	ch, err := t.readChange(ctx, path)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	used[path] = true
	for _, c := range slices.Concat(ch.Copies, ch.Restores) {
		used[c.Source] = true
	}
	origin, err := decodeState(ch.Before)
	if err != nil || origin == nil {
		return err
	}
	for _, r := range origin.Records {
		used[r] = true
	}
	if origin.Change != "" {
		used[origin.Change] = true
	}
	return t.markRelease(ctx, used, origin.Release)
}
