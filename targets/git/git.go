// Package git publishes a site to a branch of a git repository, as GitHub Pages, GitLab
// Pages and every host that deploys from git read it.
//
// There is no work tree and no index: trees and a pack are built straight from the site
// and sent in one request. Stage pushes a commit to refs/mirror/<release>; Commit moves
// the branch there, and the server itself compares what the branch was (the Old of the
// push command), so that of two publishers one loses and knows it.
package git

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Config is a git target's part of the config.
type Config struct {
	URL        string `yaml:"url"`         // ssh, https, http, file, a path, or user@host:path
	Branch     string `yaml:"branch"`      // gh-pages by default
	CNAME      string `yaml:"cname"`       // written to the branch where the site has no CNAME
	TokenEnv   string `yaml:"token_env"`   // environment variable with the access token, for https
	Orphan     bool   `yaml:"orphan"`      // commits without parents: the branch keeps no history
	Author     string `yaml:"author"`      // Name <address>, of the commits
	SSHKey     string `yaml:"ssh_key"`     // file of the private key; else the agent and ~/.ssh
	KnownHosts string `yaml:"known_hosts"` // file; else ~/.ssh/known_hosts and the system's
}

const (
	defaultBranch = "gh-pages"
	defaultAuthor = "mirror <mirror@localhost>"
)

// Target is one branch of one repository.
type Target struct {
	remote  wire.Remote
	host    string // "" for a local repository
	branch  plumbing.ReferenceName
	cname   string
	orphan  bool
	author  mail.Address
	secrets []string // never shown
	log     *slog.Logger
	keep    targets.Keep
	known   *objects.Cache
	blobs   *blobIDs
	whole   atomic.Bool // the server takes no thin packs, whatever it says
}

var (
	_ targets.Target  = (*Target)(nil)
	_ targets.Factory = New
)

// New opens the target that decode describes with a Config.
func New(ctx context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	return Open(ctx, env, c)
}

// Open makes the target ready. It connects to nothing.
func Open(_ context.Context, env targets.Env, c Config) (*Target, error) {
	place, err := wire.ParseURL(c.URL)
	if err != nil {
		return nil, err
	}
	t := &Target{
		host: place.Host, cname: strings.TrimSpace(c.CNAME), orphan: c.Orphan, log: env.Log, keep: env.Keep,
		known: objects.NewCache(env.State), blobs: newBlobIDs(env.State),
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
	login, err := credentials(place, env, c)
	if err != nil {
		return nil, err
	}
	t.secrets = login.Secrets()
	t.remote, err = wire.NewRemote(place, wire.Options{
		Login: login, Transport: env.Transport, SSHKey: c.SSHKey, KnownHosts: c.KnownHosts,
	})
	return t, err
}

func parseBranch(name string) (plumbing.ReferenceName, error) {
	if name == "" {
		name = defaultBranch
	}
	ref := plumbing.NewBranchReferenceName(strings.TrimPrefix(name, "refs/heads/"))
	if err := ref.Validate(); err != nil {
		return "", fmt.Errorf("branch %q is no name that git allows", name)
	}
	return ref, nil
}

func parseAuthor(author string) (mail.Address, error) {
	if author == "" {
		author = defaultAuthor
	}
	a, err := mail.ParseAddress(author)
	if err != nil || strings.ContainsAny(a.Name+a.Address, "<>\n\x00") {
		return mail.Address{}, fmt.Errorf("author %q: want Name <address>", author)
	}
	if a.Name == "" {
		a.Name = a.Address
	}
	return *a, nil
}

// Live tells the branch's head, and the release that its commit names if the commit is
// one of ours and still has the tree that we gave it.
func (t *Target) Live(ctx context.Context) (live targets.Live, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return targets.Live{}, err
	}
	defer s.Close()
	head, err := t.head(ctx, s)
	if err != nil {
		return targets.Live{}, err
	}
	return liveOf(head), nil
}

// head is the commit that the branch is at, as a session's advertisement told it; the
// zero commit where there is no branch.
func (t *Target) head(ctx context.Context, s *wire.Session) (objects.Commit, error) {
	return t.commit(ctx, s, s.Refs[t.branch])
}

// liveOf is how the contract calls a head.
func liveOf(c objects.Commit) targets.Live {
	return targets.Live{Release: c.Release, Revision: revisionOf(c)}
}

// revisionOf is the commit's hash, and "" where the branch holds nothing: no commit at all,
// or the empty one that stands for "nothing" where a host refuses to delete the branch.
func revisionOf(c objects.Commit) string {
	if c.Hash.IsZero() || c.Vacant {
		return ""
	}
	return c.Hash.String()
}

// redact takes secrets out of an error that leaves the package.
func (t *Target) redact(err *error) {
	if *err == nil {
		return
	}
	text := (*err).Error()
	for _, secret := range t.secrets {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	if text != (*err).Error() {
		*err = &redactedError{text: text, err: *err}
	}
}

// redactedError keeps an error's identity and not its text.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

// Is finds the sentinels of the hidden error. There is no Unwrap, which would hand the
// hidden text out.
func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }

// staged finds the commit that a release is staged as.
func (t *Target) staged(s *wire.Session, id site.ID) (plumbing.ReferenceName, plumbing.Hash) {
	for _, name := range stageRefs(id) {
		if h := s.Refs[name]; !h.IsZero() {
			return name, h
		}
	}
	return "", plumbing.ZeroHash
}

const (
	stagePrefix    = "refs/mirror/"
	fallbackPrefix = "refs/heads/mirror/" // for hosts that take nothing but branches and tags
)

// stageRefs are the names that a release is staged under, the better one first.
func stageRefs(id site.ID) [2]plumbing.ReferenceName {
	return [2]plumbing.ReferenceName{
		plumbing.ReferenceName(stagePrefix + string(id)), plumbing.ReferenceName(fallbackPrefix + string(id)),
	}
}
