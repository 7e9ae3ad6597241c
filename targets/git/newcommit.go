package git

import (
	"context"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/targets/git/internal/objects"
)

// follows reports whether the branch can go from head to c as a publish should: c is the
// head, or the next commit after it, or says that it came after it where the history is shortened.
func (t *Target) follows(c, head objects.Commit) bool {
	switch {
	case c.Hash == head.Hash:
		return true
	case head.Hash.IsZero():
		return len(c.Parents) == 0 && c.After.IsZero()
	case t.shortens():
		return c.After == head.Hash || t.last > 1 && slices.Contains(c.Parents, head.Hash)
	}
	return len(c.Parents) == 1 && c.Parents[0] == head.Hash
}

// shortens reports whether the branch keeps only its latest commits. A host that has refused to move
// the branch to a commit that does not follow its head keeps all of them.
func (t *Target) shortens() bool { return t.last > 0 && !t.forward.Load() }

// newCommit makes a commit that follows head, and signs it where the config says so. With it come
// copies of earlier commits, where the history is shortened.
func (t *Target) newCommit(ctx context.Context, head objects.Commit, tree plumbing.Hash, said objects.Trailers) (made objects.Commit, items []objects.Item, err error) {
	parent := head.Hash
	var copies []objects.Commit
	if t.shortens() {
		if parent, copies, err = t.above(ctx, head); err != nil {
			return objects.Commit{}, nil, err
		}
		if parent != head.Hash {
			said.After = head.Hash
		}
	}
	made, err = t.signed(ctx, objects.NewCommit(t.author, time.Now(), tree, parent, said))
	for _, c := range append(copies, made) {
		items = append(items, objects.Content(plumbing.CommitObject, c.Raw))
	}
	return made, items, err
}
