package git

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// above are the commits that a new commit gets below it: head, or where the branch would get too
// long copies of the latest commits, of which the last one has no parent.
func (t *Target) above(ctx context.Context, head objects.Commit) (parent plumbing.Hash, copies []objects.Commit, err error) {
	if t.last == 0 || head.Hash.IsZero() {
		return head.Hash, nil, nil
	}
	chain, whole, err := t.chain(ctx, head)
	if err != nil {
		return plumbing.ZeroHash, nil, err
	}
	if whole && len(chain) < t.last {
		return head.Hash, nil, nil
	}
	for i := min(len(chain), t.last-1) - 1; i >= 0; i-- {
		var after plumbing.Hash
		if parent.IsZero() && len(chain[i].Parents) > 0 {
			after = chain[i].Parents[0]
		}
		c, err := objects.Reparent(chain[i], parent, after)
		if err == nil {
			c, err = t.signed(ctx, c)
		}
		if err != nil {
			return plumbing.ZeroHash, nil, err
		}
		parent, copies = c.Hash, append(copies, c)
	}
	return parent, copies, nil
}

// chain lists head and the commits before it, as many as the branch may have, and reports whether
// they are all of the branch. A server that cannot leave files out would send the content of
// each commit: there head alone is known.
func (t *Target) chain(ctx context.Context, head objects.Commit) (chain []objects.Commit, whole bool, err error) {
	if t.last == 1 || len(head.Parents) == 0 {
		return []objects.Commit{head}, len(head.Parents) == 0, nil
	}
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return nil, false, err
	}
	defer s.Close()
	if !s.Caps.Supports(capability.Filter) || !s.Caps.Supports(capability.Shallow) {
		return []objects.Commit{head}, false, nil
	}
	store, err := t.fetchWithin(ctx, s, wire.Wish{Wants: []plumbing.Hash{head.Hash}, Depth: t.last, Filter: packp.FilterTreeDepth(0)})
	if err != nil {
		return nil, false, err
	}
	defer store.Close()
	for next := head.Hash; len(chain) < t.last; {
		c, err := store.ReadCommit(next)
		if err != nil {
			break
		}
		if chain = append(chain, c); len(c.Parents) == 0 {
			return chain, true, nil
		}
		next = c.Parents[0]
	}
	if len(chain) == 0 {
		chain = []objects.Commit{head}
	}
	return chain, false, nil
}
