// Package ssh publishes to a folder on another host that a web server there serves: releases/<id>/ hold
// the releases, and the symlink current names the live one, as with package dir. All is done over one ssh
// connection, with sftp and, where the host gives the account a shell, a few of its usual commands.
package ssh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"mirror/internal/sshclient"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
	"mirror/targets/ssh/internal/remote"
)

// New is the targets.Factory of the kind "ssh".
func New(_ context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	return Open(env, c)
}

// Open makes the target ready. It connects to nothing.
func Open(env targets.Env, c Config) (*Target, error) {
	if c.URL == "" {
		return nil, errors.New("url: missing (hint: ssh://user@host/path)")
	}
	if err := targets.Validate(c); err != nil {
		return nil, err
	}
	a, err := parseAddress(c.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	host, err := remote.New(a.host, sshclient.Options{Key: c.SSHKey, KnownHosts: c.KnownHosts, Getenv: withoutGit(env.Getenv)})
	if err != nil {
		return nil, err
	}
	return over(host, a.path, env, c)
}

// withoutGit hides the programs and options that are meant for git alone.
func withoutGit(getenv func(string) string) func(string) string {
	if getenv == nil {
		getenv = os.Getenv
	}
	return func(name string) string {
		switch name {
		case "GIT_SSH_COMMAND", "GIT_SSH", "GIT_SSH_VARIANT":
			return ""
		}
		return getenv(name)
	}
}

// over returns the target in a folder of a host.
func over(host *remote.Host, folder string, env targets.Env, c Config) (*Target, error) {
	m, err := modesOf(c.Mode)
	if err != nil {
		return nil, fmt.Errorf("mode %w", err)
	}
	t := &Target{
		host: host, folder: folder, modes: m, keep: env.Keep, stays: env.Grace, log: env.Log,
		publisher: publisherName(env.Owner), lease: cmp.Or(env.Lease, leaseLength), staging: make(chan struct{}, 1),
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	return t, nil
}

// Plan hashes what is live and compares.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	if err := t.refuse(ctx, rel); err != nil {
		return targets.Plan{}, err
	}
	live, err := t.Live(ctx)
	if err != nil {
		return targets.Plan{}, err
	}
	g, err := t.graceAt(ctx, live, rel.Manifest)
	if err != nil {
		return targets.Plan{}, err
	}
	kept := t.keep.Beside(rel.Manifest)
	held, err := t.readLive(ctx, live, func(path string) bool { return kept(path) || g.Now.Has(path) })
	if err != nil {
		return targets.Plan{}, err
	}
	plan, err := releasedir.Plan(live, held.Served, g, t.keep, rel)
	if err != nil {
		return targets.Plan{}, err
	}
	t.remember(live, held)
	if plan.Sequence, err = t.liveSequence(ctx, rel, held); err != nil {
		return targets.Plan{}, err
	}
	if len(plan.Changes.Delete) > 0 {
		recorded, err := t.recorded(ctx, live, held)
		if err != nil {
			return targets.Plan{}, err
		}
		if !recorded {
			plan.Foreign = plan.Changes.Delete
		}
	}
	return plan, nil
}

// Commit turns the symlink to the newest staged copy of s.To.
func (t *Target) Commit(ctx context.Context, s targets.Swap) error {
	all, err := t.releases(ctx)
	if err != nil {
		return err
	}
	staged, err := all.Newest(s.To)
	if err != nil {
		return err
	}
	live, err := t.Live(ctx)
	switch {
	case err != nil:
		return err
	case live.Revision == staged:
		return nil
	case live != s.From:
		return conflict(live)
	}
	return t.underReservation(ctx, s, func(r *reservation) error {
		if err := t.carryGrace(ctx, live.Revision, staged); err != nil {
			return err
		}
		if err := t.turnFrom(ctx, r, live, staged); err != nil {
			return err
		}
		t.wentLive(ctx, all, s.To)
		t.mu.Lock()
		whole := t.whole[staged]
		t.mu.Unlock()
		if whole {
			t.confirmed.Store(s, true)
		}
		return nil
	})
}

// Rollback turns the symlink back to s.From, or removes it.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	live, err := t.Live(ctx)
	switch {
	case err != nil:
		return err
	case live == s.From:
		return t.endReservation(ctx, s)
	case live.Release != s.To:
		return conflict(live)
	}
	return t.underReservation(ctx, s, func(r *reservation) error {
		var err error
		if s.From.Revision == "" {
			err = r.clear(ctx)
		} else {
			err = t.turnFrom(ctx, r, live, s.From.Revision)
		}
		if err == nil {
			t.wasUndone(ctx, s.To)
		}
		return err
	})
}

// ReadBack hashes the files of the folder that the symlink names. A link, a pipe, a device, a
// socket and what cannot be read are in the list without a digest: none is of a release.
func (t *Target) ReadBack(ctx context.Context) (site.Manifest, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := t.beside(ctx, live.Revision)
	if err != nil {
		return nil, err
	}
	held, err := t.readLive(ctx, live, kept)
	return held.Files, err
}
