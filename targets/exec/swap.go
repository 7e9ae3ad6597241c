package exec

import (
	"context"

	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// Commit asks for the commit, after a last look at the places that are reserved for the same publish. A reservation of
// this process for the swap is used up.
func (t *Target) Commit(ctx context.Context, s targets.Swap) error {
	if err := targets.Fence(ctx); err != nil {
		return err
	}
	r := protocol.Request{Op: "commit", Release: s.To, From: stateOf(s.From)}
	held := t.reservationOf(s)
	if held == nil {
		r.Owner, r.Reservation = t.owner, newReservation()
		return t.ask(ctx, r, steps{})
	}
	return held.use(ctx, r)
}

// Rollback asks for the rollback.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	return t.ask(ctx, protocol.Request{Op: "rollback", Release: s.To, From: stateOf(s.From)}, steps{})
}
