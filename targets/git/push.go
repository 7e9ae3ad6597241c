package git

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

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

// listed is a list of a command, empty for nil.
func listed(c *packp.Command) []*packp.Command {
	if c == nil {
		return nil
	}
	return []*packp.Command{c}
}

// pushEmpty pushes a commit without files.
func (t *Target) pushEmpty(ctx context.Context, s *wire.Session, c objects.Commit, move *packp.Command) error {
	pack, err := objects.NewPack(ctx, []objects.Item{objects.Content(plumbing.CommitObject, c.Raw), objects.Content(plumbing.TreeObject, nil)})
	if err != nil {
		return err
	}
	defer pack.Close()
	return s.Push(ctx, pack, nil, move)
}

func name(revision string) string {
	if revision == "" {
		return "no commit"
	}
	return revision[:min(12, len(revision))]
}
