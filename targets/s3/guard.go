package s3

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mirror/targets"
	"mirror/targets/s3/internal/documents"
)

// Reserve writes the reservation into the state document, by compare-and-swap. What is live stays
// as it is: its revision, too.
func (t *Target) Reserve(ctx context.Context, s targets.Swap) (targets.Reservation, error) {
	if h, inv, known := t.seen.lastSeen(); known && inv.site != nil && t.mayReserve(h, inv, s) == nil {
		r, err := t.reserve(ctx, h, inv, s)
		if !errors.Is(err, targets.ErrReserved) {
			return r, err
		}
	} // else it may have changed since
	h, inv, err := t.glance(ctx)
	if err != nil {
		return nil, fmt.Errorf("reserve: %w", err)
	}
	if err := t.mayReserve(h, inv, s); err != nil {
		t.forgoFilled(ctx, h)
		return nil, err
	}
	return t.reserve(ctx, h, inv, s)
}

// mayReserve says why a place cannot be reserved for a swap.
func (t *Target) mayReserve(h documents.StateDocument, inv inventory, s targets.Swap) error {
	switch {
	case liveOf(h, inv).Revision != s.From.Revision && !isOf(h, s) && !h.IsLive(s):
		return fmt.Errorf("reserve: %w", documents.Conflict(h))
	case !t.mayTake(h):
		return fmt.Errorf("%w: %s", targets.ErrReserved, documents.Holder(h))
	}
	return nil
}

func (t *Target) reserve(ctx context.Context, h documents.StateDocument, inv inventory, s targets.Swap) (targets.Reservation, error) {
	began := time.Now()
	was := h
	h, err := t.docs.WriteState(ctx, h, t.claimed(h, s))
	if isConflict(err) {
		return nil, targets.ErrReserved // the next call tells what is live
	}
	if err != nil {
		return nil, fmt.Errorf("reserve: %w", err)
	}
	if t.seen.carry(was, h); was.None() {
		t.seen.note(h, inv)
	}
	r := &reservation{target: t, swap: s, own: &ownState{target: t, h: h}}
	r.keeper = r.own.keep(ctx, began)
	t.reserved.Store(s, r)
	return r, nil
}

// claimed is the state to store for a reservation.
func (t *Target) claimed(h documents.StateDocument, s targets.Swap) *documents.State {
	if !h.None() && h.Phase == documents.PhaseCommitting {
		torn := *h.State
		torn.Owner, torn.Holder, torn.Released = t.owner, documents.NewNonce(), false
		return &torn
	}
	return h.WithReservation(&documents.Reservation{To: s.To, Owner: t.owner, Holder: documents.NewNonce()})
}

// reservationOf returns the reservation that this process holds for a swap, nil for none.
func (t *Target) reservationOf(s targets.Swap) *reservation {
	held, _ := t.reserved.Load(s)
	r, _ := held.(*reservation)
	return r
}
