package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets"
)

// Prune removes the copies of releases that r lets expire, with their lists. It moves them away while it holds
// the place, so that no other publisher commits one of them, and removes them then. What went live when is told
// by the times of the lists.
func (t *Target) Prune(ctx context.Context, r targets.Retention) error {
	all, err := t.releases(ctx)
	if err != nil || len(all.names) == 0 {
		return err
	}
	live, err := t.Live(ctx)
	if err != nil {
		return err
	}
	if len(t.expired(all, live, r)) > 0 {
		if err := t.dropExpired(ctx, r); err != nil {
			return fmt.Errorf("prune: %w", err)
		}
	}
	return errors.Join(t.dropAbandoned(ctx, r), t.dropLeftovers(ctx), t.shortenGrace(ctx))
}

func (t *Target) dropExpired(ctx context.Context, r targets.Retention) error {
	res, err := t.takeSoon(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = res.Release(context.WithoutCancel(ctx)) }() // it has an end of its own
	all, err := t.releases(ctx)
	if err != nil {
		return err
	}
	live, err := t.Live(ctx)
	if err != nil {
		return err
	}
	folder, err := t.at(ctx, releases)
	if err != nil {
		return err
	}
	var moved []string
	for _, name := range t.expired(all, live, r) {
		gone := string(releaseOf(path.Join(releases, name))) + "." + newHolding() + "." + t.publisher + partial
		err := t.host.Rename(ctx, path.Join(folder, name), path.Join(folder, gone))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, t.host.RemoveAll(ctx, folder, moved))
		}
		moved = append(moved, gone)
	}
	if err := res.Release(ctx); err != nil {
		return err
	}
	return t.host.RemoveAll(ctx, folder, moved)
}

// expired names the copies and lists of the releases to drop, and other copies than the live one of the live release's.
func (t *Target) expired(all shelf, live targets.Live, r targets.Retention) []string {
	var lived []site.ID
	for _, past := range all.sequence(live.Release) {
		lived = append(lived, past.Release)
	}
	held := all.held()
	drop := r.Expired(held, lived)
	kept := map[site.ID]bool{}
	for _, h := range held {
		kept[h.Release] = !slices.Contains(drop, h.Release)
	}
	var names []string
	for name := range all.names {
		link := path.Join(releases, name)
		id := releaseOf(link)
		if id != site.None && !isPartial(name) && !kept[id] && link != live.Revision {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// dropAbandoned removes what stagings left half done when none of them can be at work any more.
func (t *Target) dropAbandoned(ctx context.Context, r targets.Retention) error {
	all, err := t.releases(ctx)
	if err != nil {
		return err
	}
	folder, err := t.at(ctx, releases)
	if err != nil {
		return err
	}
	var left []string
	for name, info := range all.names {
		if isPartial(name) && !r.MayBeStaging(time.Since(info.ModTime())) {
			left = append(left, name)
		}
	}
	return t.host.RemoveAll(ctx, folder, left)
}

func old(info fs.FileInfo) bool { return time.Since(info.ModTime()) > targets.StagingGrace }
