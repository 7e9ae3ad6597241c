package group

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeRegister holds a lease, and can be away for some daemons.
type fakeRegister struct {
	mu       sync.Mutex
	value    []byte
	revision uint64
}

// link is how one daemon reaches the register.
type link struct {
	*fakeRegister
	mu   sync.Mutex
	away bool
}

var errAway = errors.New("the broker is away")

func (l *link) cut(away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = away
}

func (l *link) gone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.away
}

func (l *link) read(context.Context) ([]byte, uint64, error) {
	if l.gone() {
		return nil, 0, errAway
	}
	l.fakeRegister.mu.Lock()
	defer l.fakeRegister.mu.Unlock()
	return l.value, l.revision, nil
}

func (l *link) write(_ context.Context, value []byte, revision uint64) (uint64, error) {
	if l.gone() {
		return 0, errAway
	}
	l.fakeRegister.mu.Lock()
	defer l.fakeRegister.mu.Unlock()
	if revision != l.revision {
		return 0, errConflict
	}
	l.value, l.revision = value, l.revision+1
	return l.revision, nil
}

// member runs a lease until stop is called. A daemon that is killed is one that is cut off first.
func member(t *testing.T, r *fakeRegister, host string) (l *lease, at *link, stop func()) {
	at = &link{fakeRegister: r}
	l = newLease(at, holder{Owner: host, Host: host, Start: "1"}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { l.run(ctx) })
	return l, at, func() { cancel(); all.Wait() }
}

// TestTheOtherDaemonLeads has the daemon that leads be killed, end, and be cut off.
func TestTheOtherDaemonLeads(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end    func(at *link, stop func())
		within time.Duration
	}{
		"killed":  {func(at *link, stop func()) { at.cut(true); stop() }, 8 * time.Second},
		"stopped": {func(_ *link, stop func()) { stop() }, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &fakeRegister{}
				first, at, stop := member(t, r, "first")
				time.Sleep(time.Minute)
				second, _, end := member(t, r, "second")
				defer end()
				time.Sleep(time.Minute)
				if !first.Leads() || second.Leads() || second.Leader() != "first" {
					t.Fatalf("the first leads: %t, the second: %t, which sees %q lead", first.Leads(), second.Leads(), second.Leader())
				}
				test.end(at, stop)
				ended := time.Now()
				for !second.Leads() && time.Since(ended) < time.Minute {
					<-second.Changed()
				}
				if took := time.Since(ended); took > test.within {
					t.Errorf("the other daemon leads after %s, want %s", took, test.within)
				}
			})
		})
	}
}

// TestDaemonsThatAreCutOffLead has two daemons lose the broker: each leads until it is there again, and then one does.
func TestDaemonsThatAreCutOffLead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &fakeRegister{}
		first, one, stop := member(t, r, "first")
		defer stop()
		time.Sleep(time.Minute)
		second, two, end := member(t, r, "second")
		defer end()
		time.Sleep(time.Minute)
		two.cut(true)
		time.Sleep(time.Minute)
		if !first.Leads() || !second.Leads() {
			t.Errorf("while the second is cut off: the first leads %t, the second %t", first.Leads(), second.Leads())
		}
		two.cut(false)
		one.cut(true)
		time.Sleep(time.Minute)
		one.cut(false)
		time.Sleep(time.Minute)
		if first.Leads() == second.Leads() {
			t.Errorf("when both are back: the first leads %t, the second %t", first.Leads(), second.Leads())
		}
	})
}
