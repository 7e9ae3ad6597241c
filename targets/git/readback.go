package git

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/site"
)

// ReadBack fetches the head with all its contents and hashes them.
func (t *Target) ReadBack(ctx context.Context) (m site.Manifest, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, uploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	hash := s.refs[t.branch]
	if hash.IsZero() {
		return nil, nil
	}
	store, err := t.fetch(ctx, s, hash, 1, "")
	if err != nil {
		return nil, err
	}
	defer store.Close()
	snap, err := store.snapshot(hash)
	if err != nil {
		return nil, err
	}
	ours, err := t.ours(ctx, snap.commit)
	if err != nil {
		return nil, err
	}
	return manifestOf(ctx, store, snap, ours)
}

// searchDepth is how many commits of others are looked through for our last one.
const searchDepth = 64

// ours are the trailers of the last commit of ours up to the given one: they tell which
// files are not the site's, also where somebody has changed the branch since.
func (t *Target) ours(ctx context.Context, c commit) (trailers, error) {
	c, err := t.search(ctx, c, func(c commit) bool { return c.Release != site.None || c.Vacant })
	return c.trailers, err
}

// search looks from c on back through first parents for a commit. It gives the zero commit
// where there is none within searchDepth.
func (t *Target) search(ctx context.Context, c commit, is func(commit) bool) (commit, error) {
	if is(c) {
		return c, nil
	}
	if len(c.parents) == 0 {
		return commit{}, nil
	}
	store, err := t.fetch(ctx, nil, c.hash, searchDepth, packp.FilterTreeDepth(0))
	if err != nil {
		return commit{}, err
	}
	defer store.Close()
	for range searchDepth - 1 {
		if len(c.parents) == 0 {
			break
		}
		if c, err = store.commit(c.parents[0]); err != nil {
			break // further back than was fetched
		}
		if is(c) {
			return c, nil
		}
	}
	return commit{}, nil
}

// manifestOf hashes the files of a snapshot, without those that are ours.
func manifestOf(ctx context.Context, s *store, snap *snapshot, ours trailers) (site.Manifest, error) {
	m := make(site.Manifest, 0, len(snap.files))
	seen := map[plumbing.Hash]site.File{}
	for path, e := range snap.files {
		if path == ours.Beacon || slices.Contains(ours.Kept, path) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, ok := seen[e.blob]
		if !ok && e.mode != filemode.Submodule { // a submodule has no bytes here
			var err error
			if f, err = s.hash(e.blob); err != nil {
				return nil, fmt.Errorf("%q: %w", path, err)
			}
			seen[e.blob] = f
		}
		f.Path = path
		m = append(m, f)
	}
	m.Sort()
	return m, nil
}
