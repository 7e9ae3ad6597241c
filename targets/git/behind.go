package git

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// mayFollow reports whether a move of the branch that was refused may succeed with a commit behind the
// head: hosts protect branches from pushes that are no fast-forward.
func (t *Target) mayFollow(err error, staged, head objects.Commit) bool {
	return t.shortens() && !head.Hash.IsZero() && !errors.Is(err, targets.ErrConflict) && !slices.Contains(staged.Parents, head.Hash)
}

// commitBehind makes the staged tree the next commit behind the head, so that the branch keeps its
// history. From then on nothing else is tried by this target. The caller must hold held's mu.
func (t *Target) commitBehind(ctx context.Context, staged, head objects.Commit, held *reservation, refused error) error {
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return errors.Join(refused, err)
	}
	defer s.Close()
	if s.Refs[t.branch] != head.Hash {
		return fmt.Errorf("%w: the branch is at %s now: %w", targets.ErrConflict, name(s.Refs[t.branch].String()), refused)
	}
	end, err := t.endOf(ctx, s, held)
	if err != nil {
		return errors.Join(refused, err)
	}
	t.forward.Store(true)
	ref, _ := t.staged(s, staged.Release)
	if err = t.commitAfresh(ctx, s, ref, staged, head, listed(end)); err != nil {
		t.forward.Store(false) // the reason is another one
		return joined(refused, err)
	}
	t.warnings.add("the host refuses to shorten the history of %s, which keeps all its commits (hint: allow force pushes to it, or set history: keep): %s",
		t.branch.Short(), t.firstLine(refused))
	return nil
}

// rollBackBehind makes the tree of the commit from the next commit behind the head.
func (t *Target) rollBackBehind(ctx context.Context, head objects.Commit, from plumbing.Hash, refused error) error {
	old, err := t.before(ctx, head, from)
	if err != nil {
		return errors.Join(refused, err)
	}
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return errors.Join(refused, err)
	}
	defer s.Close()
	t.forward.Store(true)
	said := old.Trailers
	said.After, said.Restores, said.Rescue = plumbing.ZeroHash, from, false
	next, commits, err := t.newCommit(ctx, head, old.Tree, said)
	if err == nil {
		err = t.move(ctx, s, head.Hash, next.Hash, commits)
	}
	if err != nil {
		return joined(refused, err)
	}
	t.warnings.add("the host refuses to move %s back, so the earlier release is a new commit: %s", t.branch.Short(), t.firstLine(refused))
	return nil
}

// before returns a commit of the branch's history, which a server may give only together with the head.
func (t *Target) before(ctx context.Context, head objects.Commit, hash plumbing.Hash) (objects.Commit, error) {
	if c, ok := t.known.FindCommit(hash); ok {
		return c, nil
	}
	store, err := t.fetch(ctx, nil, head.Hash, searchDepth, packp.FilterTreeDepth(0))
	if err != nil {
		return objects.Commit{}, err
	}
	defer store.Close()
	return store.ReadCommit(hash)
}

// moveToEmpty moves the branch to a commit without files: behind the head, where the host refuses to
// shorten the history.
func (t *Target) moveToEmpty(ctx context.Context, s *wire.Session, head objects.Commit) error {
	move := func(s *wire.Session) error {
		empty, commits, err := t.newCommit(ctx, head, objects.EmptyTree, objects.Trailers{Vacant: true})
		if err != nil {
			return err
		}
		return t.move(ctx, s, head.Hash, empty.Hash, append(commits, objects.Content(plumbing.TreeObject, nil)))
	}
	err := move(s)
	if refused := (*wire.RejectedError)(nil); !errors.As(err, &refused) || !t.mayFollow(err, objects.Commit{}, head) {
		return err
	}
	again, failed := t.open(ctx, wire.ReceivePack)
	if failed != nil {
		return errors.Join(err, failed)
	}
	defer again.Close()
	t.forward.Store(true)
	return move(again)
}

// firstLine is how an error begins: a host may say much.
func (t *Target) firstLine(err error) string {
	t.redact(&err)
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
