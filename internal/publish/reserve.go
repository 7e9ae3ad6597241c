package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"mirror/targets"
)

// How long a publish waits for another one that holds a place, and how often it tries.
const (
	reservePatience = 3 * time.Minute // at least; as long as the verify timeout where that is longer
	firstRetry      = 100 * time.Millisecond
	slowestRetry    = 4 * time.Second
)

// releaseTimeout bounds the release of the reservations, which goes on after an interrupt.
const releaseTimeout = 10 * time.Second

// reserve keeps other publishers out of all places that can be reserved, before anything is
// visible: of several publishers at once, one goes on. The others wait and try again for as long as what is
// live is what their plans saw; what they hold already they release first, so that no two wait for
// each other.
func (p *publication) reserve(ctx context.Context) error {
	patient, cancel := context.WithTimeout(ctx, max(reservePatience, p.options.VerifyTimeout))
	defer cancel()
	for wait := firstRetry; ; wait = min(2*wait, slowestRetry) {
		if err := p.unmoved(ctx, wait > firstRetry); err != nil {
			return err
		}
		busy, err := p.reserveAll(ctx)
		if err == nil {
			return nil
		}
		p.release(ctx)
		if !errors.Is(err, targets.ErrReserved) {
			return err
		}
		if wait == firstRetry {
			p.options.Events.Note(busy, "another publish has reserved this target; waiting for it")
		}
		select {
		case <-patient.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		case <-time.After(wait/2 + rand.N(wait)): //nolint:gosec // no secret
		}
	}
}

// unmoved gives ErrConflict where something else is live than the plans saw: at the destinations that
// cannot be reserved and, before another try, at all of them. A publisher that is stopped while it
// commits so keeps the places that it needs to go on.
func (p *publication) unmoved(ctx context.Context, all bool) error {
	pending := p.pendingDestinations()
	if len(pending) == 1 && !all {
		return nil // its commit compares by itself, and no other one is begun before
	}
	errs := make([]error, len(pending))
	var asking sync.WaitGroup
	for i, d := range pending {
		if _, reservable := targets.As[targets.Guard](ctx, d.Target); reservable && !all {
			continue
		}
		asking.Go(func() {
			live, err := d.Live(ctx)
			if was := p.reportOf(d.Name).Plan.Live; err == nil && live.Revision != was.Revision && live.Release != p.rel.ID() {
				err = overtaken(fmt.Errorf("%w: release %s is live", targets.ErrConflict, live.Release.Short()))
			}
			if err != nil {
				errs[i] = &Error{"reserve", d.Name, err}
			}
		})
	}
	asking.Wait()
	return p.failures(errs...)
}

// reserveAll reserves one place after the other, in the order in which every publisher does, so
// that two of them meet at the first. It names the destination at which it failed.
func (p *publication) reserveAll(ctx context.Context) (at string, err error) {
	pending := p.pendingDestinations()
	slices.SortStableFunc(pending, func(a, b targets.Destination) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Name, b.Name))
	})
	for _, d := range pending {
		guard, ok := targets.As[targets.Guard](ctx, d.Target)
		if !ok {
			continue
		}
		r, err := guard.Reserve(ctx, p.swap(p.reportOf(d.Name)))
		switch {
		case errors.Is(err, targets.ErrUnreservable):
			p.warn("%s: %v; two publishers at the same moment could both roll back", d.Name, err)
			continue
		case errors.Is(err, targets.ErrConflict):
			err = overtaken(err)
		}
		if err != nil {
			return d.Name, &Error{"reserve", d.Name, err}
		}
		p.reserved.mu.Lock()
		p.reserved.held[d.Name] = r
		p.reserved.mu.Unlock()
	}
	return "", nil
}

// overtaken adds what to do about a conflict.
func overtaken(err error) error {
	return fmt.Errorf("%w (hint: another publisher was first; check what is live, then publish again)", err)
}

// assure gives an error where another publisher may have taken one of the places, as after this
// process was stopped for longer than a lease.
func (p *publication) assure(ctx context.Context) error {
	p.reserved.mu.Lock()
	defer p.reserved.mu.Unlock()
	var errs []error
	for name, r := range p.reserved.held {
		if err := r.Assure(ctx); err != nil {
			errs = append(errs, fmt.Errorf("the reservation of %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// release gives the places free that are held still. Where that fails, others wait for the lease to run out.
func (p *publication) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	p.reserved.mu.Lock()
	defer p.reserved.mu.Unlock()
	var all sync.WaitGroup
	for name, r := range p.reserved.held {
		all.Go(func() {
			if err := r.Release(ctx); err != nil {
				p.warn("%s stays reserved until its lease ends: %v", name, err)
			}
		})
	}
	all.Wait()
	clear(p.reserved.held)
}
