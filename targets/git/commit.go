package git

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Commit moves the branch to the staged commit. The server compares what the branch was.
// It sends no content: at most a commit and the root's tree, where the release was staged
// on top of another head than the one that is live.
func (t *Target) Commit(ctx context.Context, swap targets.Swap) (err error) {
	defer t.redact(&err)
	held := t.reservationOf(swap)
	defer held.stopRenewals()()
	err = t.compareAndMove(ctx, swap, held)
	if held.renewedLate(err) {
		err = t.compareAndMove(ctx, swap, held)
	}
	return err
}

// compareAndMove is one attempt at Commit. The caller must hold held's mu.
func (t *Target) compareAndMove(ctx context.Context, swap targets.Swap, held *reservation) error {
	s, head, err := t.openHead(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	ref, hash := t.staged(s, swap.To)
	staged, err := t.commit(ctx, nil, hash)
	if err != nil {
		return err
	}
	switch {
	case head.Release == swap.To && swap.To != site.None && (hash.IsZero() || staged.Tree == head.Tree):
		return nil
	case hash.IsZero() || staged.Release != swap.To:
		return fmt.Errorf("%s: %w", swap.To.Short(), targets.ErrNotStaged)
	case revisionOf(head) != swap.From.Revision:
		return conflict(head, swap.From)
	}
	end, err := t.endOf(ctx, s, held)
	if err != nil {
		return err
	}
	if t.follows(staged, head) {
		err = t.move(ctx, s, head.Hash, staged.Hash, nil, listed(end)...)
	} else {
		err = t.commitAfresh(ctx, s, ref, staged, head, listed(end))
	}
	if refused := (*wire.RejectedError)(nil); errors.As(err, &refused) && t.mayFollow(err, staged, head) {
		err = t.commitBehind(ctx, staged, head, held, refused)
	}
	if err == nil && end != nil {
		held.spend()
	}
	return err
}

// Rollback moves the branch back to where Commit found it.
func (t *Target) Rollback(ctx context.Context, swap targets.Swap) (err error) {
	defer t.redact(&err)
	s, head, err := t.openHead(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	switch {
	case revisionOf(head) == swap.From.Revision, !head.Restores.IsZero() && head.Restores.String() == swap.From.Revision:
		return nil
	case head.Release != swap.To:
		return conflict(head, swap.From)
	case swap.From.Revision == "":
		return t.unpublish(ctx, s, head)
	}
	from, err := objects.ParseHash(swap.From.Revision)
	if err != nil {
		return err
	}
	err = t.move(ctx, s, head.Hash, from, nil)
	if refused := (*wire.RejectedError)(nil); errors.As(err, &refused) && !errors.Is(err, targets.ErrConflict) {
		return t.rollBackBehind(ctx, head, from, refused)
	}
	return err
}

// unpublish deletes the branch. Where the host refuses, because it is the repository's
// main branch, an empty commit stands for nothing.
func (t *Target) unpublish(ctx context.Context, s *wire.Session, head objects.Commit) error {
	err := t.move(ctx, s, head.Hash, plumbing.ZeroHash, nil)
	var refused *wire.RejectedError
	if !errors.As(err, &refused) || errors.Is(err, targets.ErrConflict) {
		return err
	}
	again, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return errors.Join(refused, err)
	}
	defer again.Close()
	return t.moveToEmpty(ctx, again, head)
}
