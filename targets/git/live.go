package git

import (
	"context"
	"fmt"

	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Live tells the branch's head, and the release that its commit names if the commit is
// one of ours and still has the tree that we gave it.
func (t *Target) Live(ctx context.Context) (live targets.Live, err error) {
	defer t.redact(&err)
	s, head, err := t.openHead(ctx, wire.UploadPack)
	if err != nil {
		return targets.Live{}, err
	}
	defer s.Close()
	return liveOf(head), nil
}

// head is the commit that the branch is at, as a session's advertisement told it; the
// zero commit where there is no branch.
func (t *Target) head(ctx context.Context, s *wire.Session) (objects.Commit, error) {
	return t.commit(ctx, s, s.Refs[t.branch])
}

// openHead begins a conversation, and returns the head as its advertisement told it. The caller closes the session.
func (t *Target) openHead(ctx context.Context, service wire.Service) (*wire.Session, objects.Commit, error) {
	s, err := t.open(ctx, service)
	if err != nil {
		return nil, objects.Commit{}, err
	}
	head, err := t.head(ctx, s)
	if err != nil {
		s.Close()
		return nil, objects.Commit{}, err
	}
	return s, head, nil
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

func conflict(head objects.Commit, want targets.Live) error {
	return fmt.Errorf("%w: the branch is at %s, and was at %s when this publish began (hint: plan again)",
		targets.ErrConflict, name(revisionOf(head)), name(want.Revision))
}
