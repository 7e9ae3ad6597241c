// Package dir publishes to a folder on this machine or on a mounted disk, which a web
// server serves: releases/<id>/ hold the releases, and the symlink current names the live one.
package dir

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// New is the targets.Factory of the kind "dir".
func New(_ context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	t, err := Open(c)
	if err != nil {
		return nil, err
	}
	t.keep, t.grace = env.Keep, env.Grace
	return t, nil
}

// Open makes the folder if it is not there.
func Open(c Config) (*Target, error) {
	if c.Path == "" {
		return nil, errors.New("dir: path is missing")
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	file, folder, err := releasedir.ParseMode(c.Mode)
	if err != nil {
		return nil, fmt.Errorf("dir: mode %w", err)
	}
	return &Target{path: path, modes: modes{file, folder}, names: systemOf(path)}, nil
}

// Plan hashes what is live and compares.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	if err := t.names.refuse(rel); err != nil {
		return targets.Plan{}, err
	}
	live, err := t.Live(ctx)
	if err != nil {
		return targets.Plan{}, err
	}
	g := t.graceAt(live, rel.Manifest)
	kept := t.keep.Beside(rel.Manifest)
	held, beside, err := t.readLive(ctx, func(path string) bool { return kept(path) || g.Now.Has(path) })
	if err != nil {
		return targets.Plan{}, err
	}
	plan, err := releasedir.Plan(live, releasedir.Served{Files: held, Kept: beside}, g, t.keep, rel)
	if err != nil {
		return targets.Plan{}, err
	}
	plan.Sequence = t.liveSequence(rel.BeaconPath)
	if len(plan.Changes.Delete) > 0 && !t.recorded(live, rel.BeaconPath) {
		plan.Foreign = plan.Changes.Delete
	}
	return plan, nil
}

// Commit turns the symlink to the newest staged copy of s.To.
func (t *Target) Commit(ctx context.Context, s targets.Swap) error {
	return t.locked(ctx, func(p *place) error {
		all, err := p.listing()
		if err != nil {
			return err
		}
		staged, err := all.Newest(s.To)
		if err != nil {
			return fmt.Errorf("dir: %w", err)
		}
		live, err := t.Live(ctx)
		switch {
		case err != nil:
			return err
		case live.Revision == staged:
			return nil
		case live != s.From:
			return fmt.Errorf("dir: %s is live: %w", live.Release.Short(), targets.ErrConflict)
		}
		return t.underReservation(p, s, func() error {
			if err := t.carryGrace(ctx, p, live.Revision, staged); err != nil {
				return err
			}
			if err := t.turnFrom(ctx, p, live.Revision, staged); err != nil {
				return err
			}
			p.wentLive(s.To)
			return nil
		})
	})
}

// Rollback turns the symlink back to s.From, or removes it.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	return t.locked(ctx, func(p *place) error {
		live, err := t.Live(ctx)
		switch {
		case err != nil:
			return err
		case live == s.From:
			return nil
		case live.Release != s.To:
			return fmt.Errorf("dir: %s is live: %w", live.Release.Short(), targets.ErrConflict)
		case s.From.Revision == "":
			err = p.clear()
		default:
			err = t.turnFrom(ctx, p, live.Revision, s.From.Revision)
		}
		if err == nil {
			p.wasUndone(s.To)
		}
		return err
	})
}

// ReadBack hashes the files of the folder that the symlink names. A link, a pipe, a device, a
// socket and what cannot be read are in the list without a digest: none is of a release.
func (t *Target) ReadBack(ctx context.Context) (site.Manifest, error) {
	kept, err := t.keptNow(ctx)
	if err != nil {
		return nil, err
	}
	m, _, err := t.readLive(ctx, kept)
	return m, err
}
