package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// snapshot gives a commit with its trees: from memory, from the state folder, or from the
// remote, without the files' content if the remote can do that. via may be nil.
func (t *Target) snapshot(ctx context.Context, via *wire.Session, hash plumbing.Hash) (*objects.Snapshot, error) {
	if hash.IsZero() {
		return &objects.Snapshot{}, nil
	}
	if snap := t.known.Snapshot(hash); snap != nil {
		return snap, nil
	}
	s, err := t.fetch(ctx, via, hash, 1, packp.FilterBlobNone())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	snap, err := s.Snapshot(hash)
	if err != nil {
		return nil, err
	}
	t.known.Add(snap, t.log)
	return snap, nil
}

// commit gives a commit alone. A remote that cannot leave the rest out sends it all, and
// then all of it is kept.
func (t *Target) commit(ctx context.Context, via *wire.Session, hash plumbing.Hash) (objects.Commit, error) {
	if hash.IsZero() {
		return objects.Commit{}, nil
	}
	if c, ok := t.known.FindCommit(hash); ok {
		return c, nil
	}
	s, err := t.fetch(ctx, via, hash, 1, packp.FilterTreeDepth(0))
	if err != nil {
		return objects.Commit{}, err
	}
	defer s.Close()
	c, err := s.ReadCommit(hash)
	if err != nil {
		return objects.Commit{}, err
	}
	if snap, err := s.Snapshot(hash); err == nil {
		t.known.Add(snap, t.log)
		return c, nil
	}
	t.known.AddCommit(c)
	return c, nil
}

// fetch gets a commit, in the conversation via if that is one for reading and still fresh.
func (t *Target) fetch(ctx context.Context, via *wire.Session, hash plumbing.Hash, depth int, filter packp.Filter) (*objects.Store, error) {
	if via == nil || !via.CanFetch() {
		s, err := t.open(ctx, wire.UploadPack)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		via = s
	}
	s, err := objects.NewStore(ctx, func(w io.Writer) error { return via.Fetch(ctx, hash, depth, filter, w) })
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", hash, err)
	}
	return s, nil
}

// open begins a conversation with the target's repository.
func (t *Target) open(ctx context.Context, s wire.Service) (*wire.Session, error) {
	return wire.Open(ctx, t.remote, s)
}

// thin reports whether the remote completes deltas from what it has. A server built with
// go-git does not, and does not say so.
func (t *Target) thin(s *wire.Session) bool {
	agent := strings.Join(s.Caps.Get(capability.Agent), "")
	return !t.whole.Load() && !s.Caps.Supports("no-thin") && !strings.HasPrefix(agent, "go-git")
}

// maxFetch bounds what one request fetches, in bytes.
const maxFetch = 256 << 20

// fetchWithin fetches what is wished for, and less deep where it is too much.
func (t *Target) fetchWithin(ctx context.Context, via *wire.Session, w wire.Wish) (*objects.Store, error) {
	for {
		if !via.CanFetch() {
			s, err := t.open(ctx, wire.UploadPack)
			if err != nil {
				return nil, err
			}
			defer s.Close()
			via = s
		}
		got, err := objects.NewStore(ctx, func(out io.Writer) error { return via.FetchAll(ctx, w, maxFetch, out) })
		if err == nil || !errors.Is(err, objects.ErrTooMuch) || w.Depth <= 1 || ctx.Err() != nil {
			return got, err
		}
		w.Depth /= 4
		w.Depth = max(w.Depth, 1)
	}
}
