package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"time"

	"mirror/internal/lease"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// leaseLength is how long a reservation without a sign of life keeps others out.
const leaseLength = time.Minute

// reservation is an entry of the register that this process holds.
type reservation struct {
	target *Target
	swap   targets.Swap
	keeper *lease.Keeper

	mu    sync.Mutex // guards what follows, also while the entry is renamed
	entry entry
	spent bool // used by a commit, or released
}

// Reserve takes the register's entry. The entry of another publisher that stays as it is for a lease's
// length, by the clock of this process, is taken over.
func (t *Target) Reserve(ctx context.Context, s targets.Swap) (targets.Reservation, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	if live != s.From && live.Release != s.To {
		return nil, conflict(live)
	}
	r, err := t.take(ctx, s)
	if err != nil {
		return nil, err
	}
	if live, err = t.Live(ctx); err == nil && live != s.From && live.Release != s.To { // changed before it was taken
		err = conflict(live)
	}
	if err != nil {
		return nil, errors.Join(err, r.Release(context.WithoutCancel(ctx)))
	}
	t.reserved.Store(s, r)
	return r, nil
}

// take makes the entry one of this process, or gives ErrReserved.
func (t *Target) take(ctx context.Context, s targets.Swap) (*reservation, error) {
	name, err := t.readRegister(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.mayTake(name); err != nil {
		return nil, err
	}
	r := &reservation{target: t, swap: s, entry: entry{publisher: t.publisher, holding: newHolding()}}
	began := time.Now()
	if err := t.move(ctx, name, r.entry.String()); err != nil {
		if errors.Is(err, targets.ErrConflict) {
			return nil, targets.ErrReserved // another publisher was quicker
		}
		return nil, fmt.Errorf("reserve: %w", err)
	}
	r.keeper = lease.Keep(ctx, began, lease.Terms{Length: t.lease, Renew: r.renew, Lost: isConflict, Log: t.log})
	return r, nil
}

// mayTake gives ErrReserved while another publisher's reservation may be in use.
func (t *Target) mayTake(name string) error {
	held := parseEntry(name)
	if name == freeEntry || held.publisher == t.publisher && !t.holdsEntry(held) {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen.name != name {
		t.seen = sighting{name, time.Now()}
	}
	if time.Since(t.seen.since) > t.lease {
		return nil
	}
	return fmt.Errorf("%w (hint: wait for it, or until it is silent for %s)", targets.ErrReserved, t.lease)
}

// holdsEntry reports whether an entry is of this very process.
func (t *Target) holdsEntry(e entry) (own bool) {
	t.reserved.Range(func(_, held any) bool {
		r, _ := held.(*reservation)
		r.mu.Lock()
		defer r.mu.Unlock()
		own = own || r.entry.holding == e.holding && !r.spent
		return !own
	})
	return own
}

func isConflict(err error) bool { return errors.Is(err, targets.ErrConflict) }

// renew gives a sign of life.
func (r *reservation) renew(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent {
		return nil
	}
	return r.advance(ctx)
}

// advance renames the entry. One whose answer was lost may have the next name already. The caller must hold mu.
func (r *reservation) advance(ctx context.Context) error {
	next := r.entry
	next.beat++
	err := r.target.move(ctx, r.entry.String(), next.String())
	if isConflict(err) {
		now, readErr := r.target.readRegister(ctx)
		if readErr != nil {
			return readErr
		}
		if e := parseEntry(now); e.holding == r.entry.holding && e.publisher == r.entry.publisher {
			r.entry = e
			return nil
		}
	}
	if err == nil {
		r.entry = next
	}
	return err
}

// Assure renews the lease where it may run out.
func (r *reservation) Assure(ctx context.Context) error { return r.keeper.Assure(ctx) }

// Release makes the place free.
func (r *reservation) Release(ctx context.Context) error {
	r.keeper.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent {
		return nil
	}
	err := r.target.move(ctx, r.entry.String(), freeEntry)
	if isConflict(err) && r.advance(ctx) == nil {
		err = r.target.move(ctx, r.entry.String(), freeEntry)
	}
	r.spent = true
	r.target.reserved.CompareAndDelete(r.swap, r)
	if err != nil && !isConflict(err) {
		return fmt.Errorf("release the reservation: %w", err)
	}
	return nil
}

// underReservation calls do while the place is reserved: by a reservation for the swap, which ends where do
// succeeds, else for this call alone.
func (t *Target) underReservation(ctx context.Context, s targets.Swap, do func(r *reservation) error) error {
	r := t.reservationOf(s)
	if r == nil {
		taken, err := t.Reserve(ctx, s)
		if errors.Is(err, targets.ErrReserved) {
			return fmt.Errorf("%w: %w", targets.ErrConflict, err)
		}
		if err != nil {
			return err
		}
		if r = t.reservationOf(s); r == nil { // used up by another call in this moment
			return errors.Join(errLost, taken.Release(ctx))
		}
		defer func() { _ = r.Release(context.WithoutCancel(ctx)) }() // it has an end of its own
	}
	if err := r.Assure(ctx); err != nil {
		return err
	}
	if err := do(r); err != nil {
		return err
	}
	if err := r.Release(ctx); err != nil {
		t.log.Warn("the reservation keeps others out until its lease ends", "lease", t.lease, "err", err)
	}
	return nil
}

// endReservation ends the reservation for a swap that needs none any more.
func (t *Target) endReservation(ctx context.Context, s targets.Swap) error {
	if r := t.reservationOf(s); r != nil {
		return r.Release(ctx)
	}
	return nil
}

func (t *Target) reservationOf(s targets.Swap) *reservation {
	held, _ := t.reserved.Load(s)
	r, _ := held.(*reservation)
	return r
}

// turn makes the link current lead elsewhere, in one step. It gives ErrConflict where the reservation is lost.
func (r *reservation) turn(ctx context.Context, to string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	made, link, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	if err := r.target.host.Symlink(ctx, to, made); err != nil {
		return r.why(ctx, err)
	}
	return r.why(ctx, r.target.host.Replace(ctx, made, link))
}

// clear removes the link current.
func (r *reservation) clear(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	made, link, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	if err := r.why(ctx, r.target.host.Rename(ctx, link, made)); err != nil {
		return err
	}
	return r.target.host.Remove(ctx, made)
}

// prepare returns a free name in the register's entry, and that of the link. It renames the entry first: where
// that succeeds the place is held. The caller must hold mu.
func (r *reservation) prepare(ctx context.Context) (made, link string, err error) {
	if r.spent {
		return "", "", errLost
	}
	if err := r.advance(ctx); err != nil {
		return "", "", err
	}
	if made, err = r.target.at(ctx, register, r.entry.String()); err != nil {
		return "", "", err
	}
	made = path.Join(made, releasedir.Current)
	if err := r.target.host.Remove(ctx, made); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", r.why(ctx, err)
	}
	link, err = r.target.at(ctx, releasedir.Current)
	return made, link, err
}

// why gives errLost where an error comes from an entry that is not ours any more. The caller must hold mu.
func (r *reservation) why(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if now, readErr := r.target.readRegister(ctx); readErr == nil && now != r.entry.String() {
		return errLost
	}
	return err
}

func conflict(live targets.Live) error {
	return fmt.Errorf("%s is live: %w", live.Release.Short(), targets.ErrConflict)
}
