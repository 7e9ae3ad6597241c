package git

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

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
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	head, err := t.head(ctx, s)
	if err != nil {
		return err
	}
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

// listed is a list of a command, empty for nil.
func listed(c *packp.Command) []*packp.Command {
	if c == nil {
		return nil
	}
	return []*packp.Command{c}
}

// move moves the branch, with the objects it needs; others are commands to obey in the
// same push.
func (t *Target) move(ctx context.Context, s *wire.Session, from, to plumbing.Hash, items []objects.Item, others ...*packp.Command) error {
	var p *objects.Pack
	if !to.IsZero() {
		var err error
		if p, err = objects.NewPack(ctx, items); err != nil {
			return err
		}
		defer p.Close()
	}
	branch := &packp.Command{Name: t.branch, Old: from, New: to}
	err := s.Push(ctx, p, nil, append(others, branch)...)
	var refused *wire.RejectedError
	if !errors.As(err, &refused) {
		return err
	}
	return t.afterRefusal(ctx, from, to, others, refused)
}

// afterRefusal tells a branch, or one of the other refs, that another publisher moved from one
// that may not move.
func (t *Target) afterRefusal(ctx context.Context, from, to plumbing.Hash, others []*packp.Command, refused error) error {
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return errors.Join(refused, err)
	}
	defer s.Close()
	switch now := s.Refs[t.branch]; now {
	case to:
		return nil
	case from:
		for _, c := range others {
			if s.Refs[c.Name] != c.Old {
				return fmt.Errorf("%w: another publisher moved %s: %w", targets.ErrConflict, c.Name, refused)
			}
		}
		return refused
	default:
		return fmt.Errorf("%w: the branch is at %s now: %w", targets.ErrConflict, name(now.String()), refused)
	}
}

// commitAfresh makes the staged tree the next commit after head, and the branch that. What
// is kept of the branch is taken from head, which may have got a CNAME meanwhile.
func (t *Target) commitAfresh(ctx context.Context, s *wire.Session, ref plumbing.ReferenceName, staged, head objects.Commit, others []*packp.Command) error {
	old, err := t.snapshot(ctx, nil, staged.Hash)
	if err != nil {
		return err
	}
	live, err := t.snapshot(ctx, nil, head.Hash)
	if err != nil {
		return err
	}
	want := &layout{
		files: maps.Clone(old.Files), blobs: map[plumbing.Hash]objects.Item{},
		said: objects.Trailers{Release: staged.Release, Beacon: staged.Beacon, Own: ownOfStaged(staged, old, t.keep), Sequence: staged.Sequence},
	}
	maps.DeleteFunc(want.files, func(path string, _ objects.Entry) bool { return path != staged.Beacon && staged.Beside(path) })
	t.addKept(live, want)
	if err := want.build(); err != nil {
		return err
	}
	have := old.Names()
	maps.Copy(have, live.Names())
	items, _ := want.unknown(have, live, t.thin(s))
	next, commits, err := t.newCommit(ctx, head, want.root(), want.said)
	if err != nil {
		return err
	}
	items = append(items, commits...)
	restage := &packp.Command{Name: ref, Old: staged.Hash, New: next.Hash}
	if err := t.move(ctx, s, head.Hash, next.Hash, items, append(others, restage)...); err != nil {
		return err
	}
	t.known.Add(want.snapshot(next), t.log)
	return nil
}

// Rollback moves the branch back to where Commit found it.
func (t *Target) Rollback(ctx context.Context, swap targets.Swap) (err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	head, err := t.head(ctx, s)
	if err != nil {
		return err
	}
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
