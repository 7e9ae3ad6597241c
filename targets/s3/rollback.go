package s3

import (
	"context"
	"fmt"

	"mirror/targets"
	"mirror/targets/s3/internal/documents"
)

// Rollback undoes a commit, whatever became of it: the keys that it touched get their
// former bytes and headers, also where those were not ours.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	h, inv, err := t.glance(ctx)
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	at := liveOf(h, inv)
	switch {
	case isOf(h, s):
		if h.Reserved == nil && !t.mayTake(h) {
			return documents.Conflict(h)
		}
	case at.Revision == s.From.Revision:
		return nil // it never began, or was undone
	default:
		return t.judgeOrigin(ctx, h, inv, s)
	}
	ch, err := t.docs.ReadChange(ctx, h.Change)
	if err == nil {
		err = t.apply(ctx, h, ch, nil, true)
	}
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// judgeOrigin is for a swap from a state that was itself half done: undone, the state
// before that one is live.
func (t *Target) judgeOrigin(ctx context.Context, h documents.StateDocument, inv inventory, s targets.Swap) error {
	var err error
	if inv.own, err = t.listOwn(ctx); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	ch, err := t.docs.FindChange(ctx, inv.own, s)
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	if ch == nil || ch.Origin.Revision != liveOf(h, inv).Revision {
		return documents.Conflict(h)
	}
	return nil
}
