package git

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
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

// Reserve moves the branch's reservation ref by compare-and-swap. The ref of another publisher that
// stays as it is for a lease's length, by the clock of this process, is taken over.
func (t *Target) Reserve(ctx context.Context, swap targets.Swap) (_ targets.Reservation, err error) {
	defer t.redact(&err)
	s, head, err := t.openHead(ctx, wire.ReceivePack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
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

// reservationOf returns the reservation that this process holds for a swap, nil for none.
func (t *Target) reservationOf(s targets.Swap) *reservation {
	held, _ := t.reserved.Load(s)
	r, _ := held.(*reservation)
	return r
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
