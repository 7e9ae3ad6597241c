package s3

import (
	"context"
	"fmt"

	"mirror/targets"
)

// Rollback undoes a commit, whatever became of it: the keys that it touched get their
// former bytes and headers, also where those were not ours.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	h, inv, err := t.glance(ctx)
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	at := h.live(inv)
	switch {
	case t.isOf(h, s):
		if h.Phase == committing && !t.mayTake(h) {
			return conflict(h)
		}
	case at.Revision == s.From.Revision:
		return nil // it never began, or was undone
	default:
		return t.judgeOrigin(ctx, h, inv, s)
	}
	ch, err := t.readChange(ctx, h.Change)
	if err == nil {
		err = t.carryOut(ctx, h, ch, true)
	}
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// judgeOrigin is for a swap from a state that was itself half done: undone, the state
// before that one is live.
func (t *Target) judgeOrigin(ctx context.Context, h held, inv inventory, s targets.Swap) error {
	var err error
	if inv.own, err = t.listOwn(ctx); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	ch, err := t.findChange(ctx, inv, s)
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	if ch == nil || ch.Origin.Revision != h.live(inv).Revision {
		return conflict(h)
	}
	return nil
}
