package git

import (
	"context"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/targets/git/internal/objects"
)

// follows reports whether the branch can go from head to c as a publish should: c is the
// head, or the next commit after it, or stands alone where no history is wanted and says that
// it came after it.
func (t *Target) follows(c, head objects.Commit) bool {
	switch {
	case c.Hash == head.Hash:
		return true
	case t.orphan || head.Hash.IsZero():
		return len(c.Parents) == 0 && c.After == head.Hash
	}
	return len(c.Parents) == 1 && c.Parents[0] == head.Hash
}

// newCommit makes a commit that follows head, and signs it where the config says so.
func (t *Target) newCommit(ctx context.Context, head objects.Commit, tree plumbing.Hash, said objects.Trailers) (objects.Commit, error) {
	parent := head.Hash
	if t.orphan {
		parent, said.After = plumbing.ZeroHash, head.Hash
	}
	return t.signed(ctx, objects.NewCommit(t.author, time.Now(), tree, parent, said))
}

func (t *Target) signed(ctx context.Context, c objects.Commit) (objects.Commit, error) {
	if t.key == nil {
		return c, nil
	}
	signature, err := t.key.Sign(ctx, c.Raw)
	if err != nil {
		return objects.Commit{}, err
	}
	return c.WithSignature(signature), nil
}
