package git

import (
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/site"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// ReadBack fetches the head with all its contents and hashes them.
func (t *Target) ReadBack(ctx context.Context) (m site.Manifest, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	hash := s.Refs[t.branch]
	if hash.IsZero() {
		return nil, nil
	}
	store, err := t.fetch(ctx, s, hash, 1, "")
	if err != nil {
		return nil, err
	}
	defer store.Close()
	snap, err := store.Snapshot(hash)
	if err != nil {
		return nil, err
	}
	ours, err := t.ours(ctx, snap.Commit)
	if err != nil {
		return nil, err
	}
	return manifestOf(ctx, store, snap, ours)
}

// searchDepth is how many commits of others are looked through for our last one.
const searchDepth = 64

// ours are the trailers of the last commit of ours up to the given one: they tell which
// files are not the site's, also where the branch has been changed since.
func (t *Target) ours(ctx context.Context, c objects.Commit) (objects.Trailers, error) {
	c, err := t.search(ctx, c, func(c objects.Commit) bool { return c.Release != site.None || c.Vacant })
	if c.Release == site.None {
		c.Keep = t.keep
	}
	return c.Trailers, err
}

// search looks from c on back through first parents for a commit. It gives the zero commit
// where there is none within searchDepth.
func (t *Target) search(ctx context.Context, c objects.Commit, is func(objects.Commit) bool) (objects.Commit, error) {
	if is(c) {
		return c, nil
	}
	if len(c.Parents) == 0 {
		return objects.Commit{}, nil
	}
	store, err := t.fetch(ctx, nil, c.Hash, searchDepth, packp.FilterTreeDepth(0))
	if err != nil {
		return objects.Commit{}, err
	}
	defer store.Close()
	for range searchDepth - 1 {
		if len(c.Parents) == 0 {
			break
		}
		if c, err = store.ReadCommit(c.Parents[0]); err != nil {
			break // further back than was fetched
		}
		if is(c) {
			return c, nil
		}
	}
	return objects.Commit{}, nil
}

// manifestOf hashes the files of a snapshot, without those that are ours.
func manifestOf(ctx context.Context, s *objects.Store, snap *objects.Snapshot, ours objects.Trailers) (site.Manifest, error) {
	m := make(site.Manifest, 0, len(snap.Files))
	seen := map[plumbing.Hash]site.File{}
	for path, e := range snap.Files {
		if ours.Beside(path) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, ok := seen[e.Blob]
		if !ok && e.Mode != filemode.Submodule { // a submodule has no bytes here
			var err error
			if f, err = s.Hash(ctx, e.Blob); err != nil {
				return nil, fmt.Errorf("%q: %w", path, err)
			}
			seen[e.Blob] = f
		}
		f.Path = path
		m = append(m, f)
	}
	m.Sort()
	return m, nil
}
