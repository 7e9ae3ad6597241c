package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/lease"
)

var (
	errTaken = errors.New("taken")
	errDown  = errors.New("no answer")
)

// record is a lease at a service that others may take.
type record struct {
	mu    sync.Mutex
	beats int
	err   error
}

func (r *record) beat() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.beats++
	return r.err
}

func (r *record) recover() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = nil
}

func (r *record) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.beats
}

func (r *record) keep(ctx context.Context) *lease.Keeper {
	return lease.Keep(ctx, time.Now(), lease.Terms{
		Length: 12 * time.Second, Log: slog.New(slog.DiscardHandler),
		Renew: func(context.Context) error { return r.beat() },
		Lost:  func(err error) bool { return errors.Is(err, errTaken) },
	})
}

func TestKeeperRenewsUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &record{}
		k := r.keep(ctx)
		cancel() // an interrupted publish holds its lease until it has rolled back
		time.Sleep(time.Minute + time.Second)
		if err := k.Assure(t.Context()); err != nil || !k.Valid() || r.count() != 20 {
			t.Errorf("after a minute: %v, %d renewals, want 20", err, r.count())
		}
		k.Stop()
		k.Stop()
		time.Sleep(time.Minute)
		if r.count() != 20 || k.Valid() {
			t.Errorf("after it was stopped: %d renewals, want 20; valid %v", r.count(), k.Valid())
		}
	})
}

func TestKeeperSaysThatTheLeaseIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{err: errTaken}
		k := r.keep(t.Context())
		defer k.Stop()
		<-k.Lost()
		time.Sleep(time.Minute)
		if err := k.Assure(t.Context()); !errors.Is(err, errTaken) || !errors.Is(k.Err(), errTaken) || r.count() != 1 {
			t.Errorf("got %v after %d renewals, want the lease to be lost with the first", err, r.count())
		}
	})
}

// TestKeeperAfterAnOutage has a service answer again before and after patience is over.
func TestKeeperAfterAnOutage(t *testing.T) {
	for _, c := range []struct {
		outage time.Duration
		want   error
	}{{30 * time.Second, nil}, {2 * time.Minute, errDown}} {
		synctest.Test(t, func(t *testing.T) {
			r := &record{err: errDown}
			k := r.keep(t.Context())
			defer k.Stop()
			time.Sleep(10 * time.Second)
			time.AfterFunc(c.outage-10*time.Second, r.recover)
			if err := k.Assure(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("an outage of %s: got %v, want %v", c.outage, err, c.want)
			}
		})
	}
}
