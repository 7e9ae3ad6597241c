package dir

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"mirror/internal/regular"
	"mirror/targets"
)

// reserveFile is the lock that a publish holds from its reservation until its commit. Beside it
// others may stage and prune: those take lockFile. The system releases it when its process dies.
const reserveFile = ".mirror.reserved"

// reservation is a held lock.
type reservation struct {
	target *Target
	swap   targets.Swap

	mu   sync.Mutex
	lock *flock.Flock // nil once it was used or released
}

// Reserve takes the lock.
func (t *Target) Reserve(ctx context.Context, s targets.Swap) (targets.Reservation, error) {
	p, err := t.open(true)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	lock, err := t.tryReserve(p)
	if err != nil && !errors.Is(err, targets.ErrReserved) {
		return nil, err
	}
	switch live, liveErr := t.Live(ctx); {
	case liveErr != nil:
		err = liveErr
	case live != s.From && live.Release != s.To:
		err = fmt.Errorf("dir: %s is live: %w", live.Release.Short(), targets.ErrConflict)
	}
	if err != nil {
		if lock != nil {
			err = errors.Join(err, lock.Unlock())
		}
		return nil, err
	}
	r := &reservation{target: t, swap: s, lock: lock}
	t.reserved.Store(s, r)
	return r, nil
}

// tryReserve takes the lock, or gives ErrReserved.
func (t *Target) tryReserve(p *place) (*flock.Flock, error) {
	if err := p.clearOdd(reserveFile); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(t.path, reserveFile), flock.SetFlag(regular.LockFlags))
	switch held, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("dir: reserve %s: %w", t.path, err)
	case !held:
		return nil, fmt.Errorf("dir: %s: %w", t.path, targets.ErrReserved)
	}
	return lock, nil
}

// underReservation calls do while the lock is held: by a reservation for the swap, which ends
// where do succeeds, else for this call alone.
func (t *Target) underReservation(p *place, s targets.Swap, do func() error) error {
	if r := t.reservationOf(s); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.lock != nil {
			if err := do(); err != nil {
				return err
			}
			return r.end()
		}
	}
	lock, err := t.tryReserve(p)
	if errors.Is(err, targets.ErrReserved) {
		return fmt.Errorf("%w: %w", targets.ErrConflict, err)
	}
	if err != nil {
		return err
	}
	return errors.Join(do(), lock.Unlock())
}

func (t *Target) reservationOf(s targets.Swap) *reservation {
	held, _ := t.reserved.Load(s)
	r, _ := held.(*reservation)
	return r
}

// end unlocks. The caller must hold mu, and the lock must be held.
func (r *reservation) end() error {
	lock := r.lock
	r.lock = nil
	r.target.reserved.CompareAndDelete(r.swap, r)
	return lock.Unlock()
}

// Assure has nothing to do: the lock is held for as long as the process lives.
func (r *reservation) Assure(context.Context) error { return nil }

// Release unlocks.
func (r *reservation) Release(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lock == nil {
		return nil
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("dir: release %s: %w", r.target.path, err)
	}
	return nil
}
