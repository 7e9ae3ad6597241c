package git

import (
	"context"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// snapshot gives a commit with its trees: from memory, from the state folder, or from the
// remote, without the files' content if the remote can do that. via may be nil.
func (t *Target) snapshot(ctx context.Context, via *session, hash plumbing.Hash) (*snapshot, error) {
	if hash.IsZero() {
		return &snapshot{}, nil
	}
	if snap := t.known.snapshot(hash); snap != nil {
		return snap, nil
	}
	s, err := t.fetch(ctx, via, hash, 1, packp.FilterBlobNone())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	snap, err := s.snapshot(hash)
	if err != nil {
		return nil, err
	}
	t.known.keep(snap, t.log)
	return snap, nil
}

// commit gives a commit alone. A remote that cannot leave the rest out sends it all, and
// then all of it is kept.
func (t *Target) commit(ctx context.Context, via *session, hash plumbing.Hash) (commit, error) {
	if hash.IsZero() {
		return commit{}, nil
	}
	if c, ok := t.known.commit(hash); ok {
		return c, nil
	}
	s, err := t.fetch(ctx, via, hash, 1, packp.FilterTreeDepth(0))
	if err != nil {
		return commit{}, err
	}
	defer s.Close()
	c, err := s.commit(hash)
	if err != nil {
		return commit{}, err
	}
	if snap, err := s.snapshot(hash); err == nil {
		t.known.keep(snap, t.log)
		return c, nil
	}
	t.known.keepCommit(c)
	return c, nil
}

// fetch gets a commit, in the conversation via if that is one for reading and still fresh.
func (t *Target) fetch(ctx context.Context, via *session, hash plumbing.Hash, depth int, filter packp.Filter) (*store, error) {
	if via == nil || !via.canFetch() {
		s, err := t.open(ctx, uploadPack)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		via = s
	}
	s, err := newStore(func(w io.Writer) error { return via.fetch(ctx, hash, depth, filter, w) })
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", hash, err)
	}
	return s, nil
}

// open begins a conversation with the target's repository.
func (t *Target) open(ctx context.Context, s service) (*session, error) {
	return openSession(ctx, t.remote, s)
}
