package git

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/internal/lease"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// reservation is a ref that names a commit of ours without files.
type reservation struct {
	target *Target
	swap   targets.Swap
	ref    plumbing.ReferenceName
	keeper *lease.Keeper

	mu    sync.Mutex
	said  objects.Reservation
	hash  plumbing.Hash // of the commit that the ref was at last
	tried plumbing.Hash // of one to which it may have moved, where the answer was lost
	spent bool          // used by a commit, or released
}

// advance moves the ref from where it was to the next commit.
func (r *reservation) advance(ctx context.Context, s *wire.Session) error {
	c := objects.NewReservation(r.target.author, time.Now(), r.said)
	r.tried = c.Hash
	if err := r.target.pushEmpty(ctx, s, c, &packp.Command{Name: r.ref, Old: r.hash, New: c.Hash}); err != nil {
		return err
	}
	r.hash = c.Hash
	return nil
}

// renew moves the ref to a commit with the next beat.
func (r *reservation) renew(ctx context.Context) (err error) {
	defer r.target.redact(&err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent {
		return nil
	}
	s, err := r.target.open(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := r.find(s); err != nil {
		return err
	}
	r.said.Beat++
	return r.advance(ctx, s)
}

// find tells where the ref is, and gives ErrConflict where it is not ours any more. The caller
// must hold mu.
func (r *reservation) find(s *wire.Session) error {
	now := s.Refs[r.ref]
	if now.IsZero() || now != r.hash && now != r.tried {
		return fmt.Errorf("%w: the reservation is lost: this publisher was silent for too long, and another one took the place over", targets.ErrConflict)
	}
	r.hash = now
	return nil
}

// stopRenewals ends the renewals of the lease and locks mu; the function that it returns unlocks it. A nil
// reservation has neither.
func (r *reservation) stopRenewals() (unlock func()) {
	if r == nil {
		return func() {}
	}
	r.keeper.Stop()
	r.mu.Lock()
	return r.mu.Unlock
}

// spend ends the reservation. The caller must hold mu.
func (r *reservation) spend() {
	r.spent = true
	r.target.reserved.CompareAndDelete(r.swap, r)
}

// Assure renews the lease where it may run out.
func (r *reservation) Assure(ctx context.Context) error { return r.keeper.Assure(ctx) }

// Release deletes the ref.
func (r *reservation) Release(ctx context.Context) (err error) {
	defer r.target.redact(&err)
	r.keeper.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent {
		return nil
	}
	r.spend()
	err = r.deleteRef(ctx)
	if r.renewedLate(err) {
		err = r.deleteRef(ctx)
	}
	if err != nil {
		return fmt.Errorf("release the reservation: %w", err)
	}
	return nil
}

// deleteRef deletes the ref, unless it is another publisher's by now. The caller must hold mu.
func (r *reservation) deleteRef(ctx context.Context) error {
	s, err := r.target.open(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	if r.find(s) != nil {
		return nil
	}
	return s.Push(ctx, nil, nil, &packp.Command{Name: r.ref, Old: r.hash})
}

// renewedLate reports whether a push that was refused is worth another attempt: a renewal that was cut off
// when its time was over may have reached the server after the refs were read. The caller must hold mu.
func (r *reservation) renewedLate(err error) bool {
	var refused *wire.RejectedError
	return r != nil && r.tried != r.hash && errors.As(err, &refused)
}
