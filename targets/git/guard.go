package git

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"mirror/internal/lease"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Where a branch's reservation lies, the better place first; see stageRefs.
const (
	reservedPrefix         = stagePrefix + "reserved/"
	reservedFallbackPrefix = fallbackPrefix + "reserved/"
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

// Reserve moves the branch's reservation ref by compare-and-swap. The ref of another publisher that
// stays as it is for a lease's length, by the clock of this process, is taken over.
func (t *Target) Reserve(ctx context.Context, swap targets.Swap) (_ targets.Reservation, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	head, err := t.head(ctx, s)
	if err != nil {
		return nil, err
	}
	if revisionOf(head) != swap.From.Revision && (head.Release != swap.To || swap.To == site.None) {
		return nil, conflict(head, swap.From)
	}
	ref, held := t.reservedRef(s)
	if err := t.mayTake(ctx, held); err != nil {
		return nil, err
	}
	if !s.Caps.Supports(capability.DeleteRefs) {
		return nil, fmt.Errorf("%w: the server lets no refs be deleted", targets.ErrUnreservable)
	}
	r := &reservation{target: t, swap: swap, ref: ref, hash: held, said: objects.Reservation{To: swap.To, Owner: t.owner, Holder: rand.Text()}}
	began := time.Now()
	if err := r.take(ctx, s); err != nil {
		return nil, err
	}
	r.keeper = lease.Keep(ctx, began, lease.Terms{Length: t.lease, Renew: r.renew, Lost: isConflict, Log: t.log})
	t.reserved.Store(swap, r)
	return r, nil
}

func isConflict(err error) bool { return errors.Is(err, targets.ErrConflict) }

// reservedRef is where the branch is reserved, or would be, and the commit there.
func (t *Target) reservedRef(s *wire.Session) (plumbing.ReferenceName, plumbing.Hash) {
	names := t.reservedRefs()
	if hash := s.Refs[names[1]]; !hash.IsZero() {
		return names[1], hash
	}
	return names[0], s.Refs[names[0]]
}

func (t *Target) reservedRefs() [2]plumbing.ReferenceName {
	return [2]plumbing.ReferenceName{
		plumbing.ReferenceName(reservedPrefix + t.branch.Short()), plumbing.ReferenceName(reservedFallbackPrefix + t.branch.Short()),
	}
}

// mayTake gives ErrReserved while another publisher's reservation may be in use.
func (t *Target) mayTake(ctx context.Context, held plumbing.Hash) error {
	if held.IsZero() {
		return nil
	}
	seen, err := t.sight(ctx, held)
	silent := time.Since(seen.since)
	switch {
	case err != nil:
		return err
	case seen.said.Owner != "" && seen.said.Owner == t.owner, silent > t.lease:
		return nil
	}
	return fmt.Errorf("%w: %s, for release %s (hint: wait for it, or until it is silent for %s)",
		targets.ErrReserved, strconv.Quote(seen.said.Owner), seen.said.To.Short(), t.lease)
}

// sight returns since when a reservation is known to be as it is.
func (t *Target) sight(ctx context.Context, hash plumbing.Hash) (sighting, error) {
	t.seeing.Lock()
	seen := t.seen
	t.seeing.Unlock()
	if seen.hash == hash {
		return seen, nil
	}
	seen = sighting{hash: hash, since: time.Now()}
	store, err := t.fetch(ctx, nil, hash, 1, packp.FilterTreeDepth(0))
	if err != nil {
		return sighting{}, err
	}
	defer store.Close()
	if c, err := store.ReadCommit(hash); err == nil {
		seen.said, _ = objects.ParseReservation(c) // another commit there names no publisher
	}
	t.seeing.Lock()
	defer t.seeing.Unlock()
	t.seen = seen
	return seen, nil
}

// take moves the ref to a commit of ours: on a host that takes no refs but branches and tags,
// a branch.
func (r *reservation) take(ctx context.Context, s *wire.Session) error {
	t, from := r.target, r.hash
	err := r.advance(ctx, s)
	refused := (*wire.RejectedError)(nil)
	if !errors.As(err, &refused) {
		return err
	}
	again, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return errors.Join(refused, err)
	}
	defer again.Close()
	switch ref, now := t.reservedRef(again); {
	case now == r.tried:
		r.hash = now
		return nil
	case now != from:
		return targets.ErrReserved // another publisher was quicker
	case ref != t.reservedRefs()[0] || !now.IsZero():
		return fmt.Errorf("%w: %w", targets.ErrUnreservable, refused)
	}
	r.ref = t.reservedRefs()[1]
	if err = r.advance(ctx, again); errors.As(err, &refused) {
		return fmt.Errorf("%w: %w", targets.ErrUnreservable, refused)
	}
	return err
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

// reservationOf returns the reservation that this process holds for a swap, nil for none.
func (t *Target) reservationOf(s targets.Swap) *reservation {
	held, _ := t.reserved.Load(s)
	r, _ := held.(*reservation)
	return r
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

// endOf returns the command that has a commit's push delete the reservation, nil where the server
// cannot do both or nothing of it. It gives ErrConflict where the reservation is lost or, where
// there is none, while another publisher may hold the branch. The caller must hold r's mu.
func (t *Target) endOf(ctx context.Context, s *wire.Session, r *reservation) (*packp.Command, error) {
	if r == nil {
		_, held := t.reservedRef(s)
		if err := t.mayTake(ctx, held); err != nil {
			return nil, fmt.Errorf("%w: %w", targets.ErrConflict, err)
		}
		return nil, nil
	}
	if err := r.find(s); err != nil || !s.Caps.Supports(capability.Atomic) {
		return nil, err
	}
	return &packp.Command{Name: r.ref, Old: r.hash}, nil
}
