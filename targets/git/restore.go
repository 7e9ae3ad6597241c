package git

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Restore fetches the commit of a release with all its files: the branch's head, the commit that
// the release is staged as, or one of the branch's history. From a server that gives no commits which no ref names, the branch
// is fetched down to it.
func (t *Target) Restore(ctx context.Context, id site.ID) (r targets.Restored, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	hash, behind, err := t.find(ctx, s, id)
	if err != nil {
		return nil, err
	}
	if hash.IsZero() {
		return nil, fmt.Errorf("%s: %w", id.Short(), targets.ErrNotHeld)
	}
	store, err := t.fetchWhole(ctx, s, hash, behind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", id.Short(), targets.ErrNotHeld, err)
	}
	held, err := restoredFrom(ctx, store, hash, id)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return held, nil
}

// fetchWhole fetches a commit with its files, or the branch with the commits down to it.
func (t *Target) fetchWhole(ctx context.Context, s *wire.Session, hash plumbing.Hash, behind int) (*objects.Store, error) {
	store, err := t.fetch(ctx, s, hash, 1, "")
	if err == nil || behind == 0 || ctx.Err() != nil {
		return store, err
	}
	branch, failed := t.fetch(ctx, nil, s.Refs[t.branch], behind+1, "")
	if failed != nil {
		return nil, errors.Join(err, failed)
	}
	if _, failed := branch.ReadCommit(hash); failed != nil { // the history has another form
		return nil, errors.Join(err, branch.Close())
	}
	return branch, nil
}

// find returns the commit of a release, the zero hash where there is none, and how many commits it is behind the branch's
// head.
func (t *Target) find(ctx context.Context, s *wire.Session, id site.ID) (hash plumbing.Hash, behind int, err error) {
	if _, hash := t.staged(s, id); !hash.IsZero() {
		return hash, 0, nil
	}
	branch := s.Refs[t.branch]
	if branch.IsZero() {
		return plumbing.ZeroHash, 0, nil
	}
	store, err := t.fetch(ctx, nil, branch, searchDepth, packp.FilterTreeDepth(0))
	if err != nil {
		return plumbing.ZeroHash, 0, err
	}
	defer store.Close()
	for at, c := range line(store, []plumbing.Hash{branch}, searchDepth) {
		if c.Release == id {
			return c.Hash, at, nil
		}
	}
	return plumbing.ZeroHash, 0, nil
}

func restoredFrom(ctx context.Context, store *objects.Store, hash plumbing.Hash, id site.ID) (*restored, error) {
	snap, err := store.Snapshot(hash)
	if err != nil {
		return nil, err
	}
	m, err := manifestOf(ctx, store, snap, snap.Trailers)
	if err != nil {
		return nil, err
	}
	if m.ID() != id {
		return nil, fmt.Errorf("the commit of %s has other files: %w", id.Short(), targets.ErrNotHeld)
	}
	r := &restored{manifest: m, blobs: make(map[string]plumbing.Hash, len(m)), store: store}
	for path, e := range snap.Files {
		r.blobs[path] = e.Blob
	}
	return r, nil
}
