package git

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/site"
	"mirror/targets/git/internal/objects"
)

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

// line lists a store's commits from the first of heads on, the newest first: parents, and what a
// commit without parents says that it came after.
func line(s *objects.Store, heads []plumbing.Hash, limit int) []objects.Commit {
	var all []objects.Commit
	seen := map[plumbing.Hash]bool{}
	next := heads[0]
	for len(all) < limit && !next.IsZero() && !seen[next] {
		seen[next] = true
		c, err := s.ReadCommit(next)
		if err != nil {
			break // further back than was fetched
		}
		all = append(all, c)
		next = c.After
		if len(c.Parents) > 0 {
			next = c.Parents[0]
		}
	}
	return all
}
