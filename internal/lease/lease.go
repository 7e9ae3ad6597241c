// Package lease keeps a lease on something that several processes want to change: it renews the
// lease until it is stopped, and tells whether another process can have taken it over.
package lease

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Terms say how a lease is kept.
type Terms struct {
	// Length is for how long a holder that shows no sign of life keeps others out.
	Length time.Duration
	// Renew writes a sign of life. An error for which Lost is true ends the lease, any other one
	// is tried again. It is called by one goroutine at a time.
	Renew func(ctx context.Context) error
	// Lost reports whether an error of Renew says that another process has taken over.
	Lost func(err error) bool
	Log  *slog.Logger
}

// renewals is how often, in one length, a sign of life is written.
const renewals = 4

// patience is how many lengths Assure waits for the lease to be renewed.
const patience = 4

// Keeper keeps one lease.
type Keeper struct {
	terms  Terms
	proven atomic.Pointer[time.Time] // when the last write that succeeded was begun
	end    context.CancelFunc
	lost   chan struct{} // closed when another process has taken over
	done   sync.WaitGroup

	mu  sync.Mutex // guards Renew and err
	err error      // why the lease is lost
}

// Keep renews a lease that was taken by a write that was begun at the given time. It goes on
// until Stop, whatever becomes of ctx, which carries values only.
func Keep(ctx context.Context, began time.Time, t Terms) *Keeper {
	k := &Keeper{terms: t, lost: make(chan struct{})}
	k.proven.Store(&began)
	ctx, k.end = context.WithCancel(context.WithoutCancel(ctx))
	k.done.Go(func() { k.renewUntil(ctx) })
	return k
}

// Stop ends the renewals and waits for the one under way. It may be called twice.
func (k *Keeper) Stop() {
	k.end()
	k.done.Wait()
}

// Lost is closed when another process has taken the lease over.
func (k *Keeper) Lost() <-chan struct{} { return k.lost }

// Err says why the lease is lost, nil while it is not known to be.
func (k *Keeper) Err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

func (k *Keeper) renewUntil(ctx context.Context) {
	tick := time.NewTicker(k.terms.Length / renewals)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := k.renew(ctx); err != nil && ctx.Err() == nil {
			if k.Err() != nil {
				return
			}
			k.terms.Log.Warn("the lease was not renewed; this is tried again", "err", err)
		}
	}
}

func (k *Keeper) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.terms.Length)
	defer cancel()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return k.err
	}
	began := time.Now()
	err := k.terms.Renew(ctx)
	switch {
	case err == nil:
		k.proven.Store(&began)
	case k.terms.Lost(err):
		k.err = err
		close(k.lost)
	}
	return err
}

// Valid reports whether no other process can have taken over yet. Others count from when the
// last sign of life arrived, which is later than when it was sent. Time that a sleeping machine
// does not count is in the wall clock.
func (k *Keeper) Valid() bool {
	proven := *k.proven.Load()
	return max(time.Since(proven), time.Now().Round(0).Sub(proven.Round(0))) < k.terms.Length/2
}

// Assure returns nil when no other process can have taken over, after it has renewed the lease
// if need be. It returns an error where the lease is lost, where it cannot be renewed for
// several lengths, and when ctx ends.
func (k *Keeper) Assure(ctx context.Context) error {
	for !k.Valid() {
		err := k.renew(ctx)
		switch {
		case err == nil:
			return nil
		case k.Err() != nil, ctx.Err() != nil, time.Since(*k.proven.Load()) > patience*k.terms.Length:
			return errors.Join(err, ctx.Err())
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(k.terms.Length / renewals):
		}
	}
	return k.Err()
}
