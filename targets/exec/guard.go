package exec

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"mirror/internal/lease"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// reservation is one that the program holds for this process.
type reservation struct {
	target *Target
	swap   targets.Swap
	name   string
	keeper *lease.Keeper

	mu    sync.Mutex // guards spent, also while the program is asked
	spent bool       // used by a commit, or released
}

func newReservation() string { return rand.Text() }

// Reserve asks for a reservation, and renews it until it is used.
func (t *Target) Reserve(ctx context.Context, s targets.Swap) (targets.Reservation, error) {
	r := &reservation{target: t, swap: s, name: newReservation()}
	began := time.Now()
	if err := t.ask(ctx, r.request("reserve"), steps{}); err != nil {
		return nil, err
	}
	r.keeper = lease.Keep(ctx, began, lease.Terms{Length: t.lease, Renew: r.renew, Lost: isConflict, Log: t.log})
	t.reserved.Store(s, r)
	return r, nil
}

func (t *Target) reservationOf(s targets.Swap) *reservation {
	held, _ := t.reserved.Load(s)
	r, _ := held.(*reservation)
	return r
}

func isConflict(err error) bool { return errors.Is(err, targets.ErrConflict) }

func (r *reservation) request(op string) protocol.Request {
	return protocol.Request{
		Op: op, Release: r.swap.To, From: stateOf(r.swap.From),
		Owner: r.target.owner, Reservation: r.name, Lease: int((r.target.lease + time.Second - 1) / time.Second),
	}
}

// renew asks for the same reservation again.
func (r *reservation) renew(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent {
		return nil
	}
	err := r.target.ask(ctx, r.request("reserve"), steps{})
	if errors.Is(err, targets.ErrReserved) {
		return fmt.Errorf("%w: %w", targets.ErrConflict, err)
	}
	return err
}

// use makes a request that needs the reservation, which is gone where it succeeds.
func (r *reservation) use(ctx context.Context, commit protocol.Request) error {
	r.keeper.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	commit.Owner, commit.Reservation = r.target.owner, r.name
	err := r.target.ask(ctx, commit, steps{})
	if err == nil {
		r.end()
	}
	return err
}

// end forgets the reservation. The caller must hold mu.
func (r *reservation) end() {
	r.spent = true
	r.target.reserved.CompareAndDelete(r.swap, r)
}

// Assure renews the lease where it may run out.
func (r *reservation) Assure(ctx context.Context) error { return r.keeper.Assure(ctx) }

// Pause ends the renewals, as in a process that is stopped: for package targettest.
func (r *reservation) Pause() { r.keeper.Stop() }

// Release gives the place free.
func (r *reservation) Release(ctx context.Context) error {
	r.keeper.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent {
		return nil
	}
	r.end()
	err := r.target.ask(ctx, r.request("unreserve"), steps{})
	if isConflict(err) || errors.Is(err, targets.ErrReserved) {
		return nil // it is another publisher's by now
	}
	return err
}
