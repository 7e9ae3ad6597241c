// Package git publishes a site to a branch of a git repository, as GitHub Pages, GitLab
// Pages and every host that deploys from git read it.
//
// There is no work tree and no index: trees and a pack are built straight from the site
// and sent in one request. Stage pushes a commit to refs/mirror/<release>; Commit moves
// the branch there, and the server itself compares what the branch was (the Old of the
// push command), so that of two publishers one loses and knows it.
package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"mirror/targets"
	"mirror/targets/git/internal/gitconfig"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/sshsig"
	"mirror/targets/git/internal/wire"
)

// leaseLength is how long a reservation without a sign of life keeps others out. GitHub asks for at
// most six pushes a minute to one repository: four of them renew the lease.
const leaseLength = time.Minute

// fromConfig opens the target that decode describes with a Config: it is the kind's targets.Factory.
func fromConfig(ctx context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	return Open(ctx, env, c)
}

// Open makes the target ready. It connects to nothing.
func Open(ctx context.Context, env targets.Env, c Config) (*Target, error) {
	if c.URL == "" {
		return nil, errors.New("url: missing (hint: git@github.com:me/me.github.io.git)")
	}
	if err := targets.Validate(c); err != nil {
		return nil, err
	}
	settings, err := gitconfig.Load(ctx, env.Getenv)
	if err != nil {
		return nil, err
	}
	at, err := wire.Locate(c.URL, settings)
	if err != nil {
		return nil, err
	}
	t := &Target{
		host: at.Push.Host, secrets: newSecretList(env.Secret, at), cname: strings.TrimSpace(c.CNAME),
		log: env.Log, keep: env.Keep, stays: env.Grace, owner: env.Owner, lease: cmp.Or(env.Lease, leaseLength),
		known: objects.NewCache(env.State), blobs: newBlobIDs(env.State), state: env.State,
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if err := objects.CheckKeep(t.keep); err != nil {
		return nil, err
	}
	if t.branch, err = parseBranch(c.Branch); err != nil {
		return nil, err
	}
	if t.author, err = parseAuthor(c.Author); err != nil {
		return nil, err
	}
	if t.last, err = parseHistory(c.History, c.Orphan); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	if t.rescue, err = parseRescue(c.Rescue); err != nil {
		return nil, fmt.Errorf("rescue: %w", err)
	}
	if c.SigningKey != "" {
		if t.key, err = sshsig.Load(c.SigningKey, env.Getenv); err != nil {
			return nil, err
		}
	}
	token, err := tokenOf(env, c)
	if err != nil {
		return nil, err
	}
	t.secrets.add("token_env", token)
	t.remote, err = wire.NewRemote(at, wire.Options{
		Token: token, Transport: env.Transport, SSHKey: c.SSHKey, KnownHosts: c.KnownHosts,
		Getenv: env.Getenv, Git: settings, Secret: t.secrets.add,
	})
	t.redact(&err)
	return t, err
}
