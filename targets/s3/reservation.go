package s3

import (
	"context"
	"fmt"

	"mirror/internal/lease"
	"mirror/targets"
	"mirror/targets/s3/internal/documents"
)

// reservation is the state document in the phase reserved or, where an interrupted commit is to
// be taken over, that commit under our name.
type reservation struct {
	target *Target
	swap   targets.Swap
	own    *ownState
	keeper *lease.Keeper
}

// holds reports whether a state as it was read is held by the reservation, which may be nil.
func (r *reservation) holds(h documents.StateDocument) bool {
	return r != nil && h.HeldBy() != "" && h.HeldBy() == r.own.document().HeldBy()
}

// write replaces the reserved state by that of a commit, which has a lease of its own.
func (r *reservation) write(ctx context.Context, s *documents.State) (documents.StateDocument, error) {
	r.keeper.Stop()
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	h, err := r.target.writeOwn(ctx, r.own.h, s)
	if err == nil {
		r.own.spent = true
		r.forget()
	}
	return h, err
}

// forget takes the reservation off the list of those that this process holds.
func (r *reservation) forget() {
	r.target.reserved.CompareAndDelete(r.swap, r)
}

// Assure renews the lease where it may run out.
func (r *reservation) Assure(ctx context.Context) error { return r.keeper.Assure(ctx) }

// Release puts the state document back as it is without the reservation.
func (r *reservation) Release(ctx context.Context) error {
	r.keeper.Stop()
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	if r.own.spent {
		return nil
	}
	r.own.spent = true
	r.forget()
	h := r.own.h
	free := h.WithReservation(nil)
	if h.Reserved == nil {
		free.Released = true // an interrupted commit
	}
	if _, err := r.target.writeOwn(ctx, h, free); err != nil && !isConflict(err) {
		return fmt.Errorf("release the reservation: %w", err)
	}
	return nil
}
