package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// Prune removes the copies of releases that r lets expire, with their lists. It moves them away while it holds
// the place, so that no other publisher commits one of them, and removes them then. What went live when is told
// by the times of the lists.
func (t *Target) Prune(ctx context.Context, r targets.Retention) error {
	all, err := t.releases(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	live, err := t.Live(ctx)
	if err != nil {
		return err
	}
	if len(all.Expired(live, r, time.Now())) > 0 {
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
	folder, err := t.at(ctx, releasedir.Releases)
	if err != nil {
		return err
	}
	var moved []string
	for _, name := range all.Expired(live, r, time.Now()) {
		gone := string(releasedir.IDOfName(name)) + "." + newHolding() + "." + t.publisher + releasedir.Partial
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

// dropAbandoned removes what stagings left half done when none of them can be at work any more.
func (t *Target) dropAbandoned(ctx context.Context, r targets.Retention) error {
	all, err := t.releases(ctx)
	if err != nil {
		return err
	}
	folder, err := t.at(ctx, releasedir.Releases)
	if err != nil {
		return err
	}
	left := all.Partials(func(_ string, info fs.FileInfo) bool { return !r.MayBeStaging(time.Since(info.ModTime())) })
	return t.host.RemoveAll(ctx, folder, left)
}

func old(info fs.FileInfo) bool { return time.Since(info.ModTime()) > targets.StagingGrace }
