package targettest

import (
	"errors"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
)

// brokenFirst publishes to an empty place, broken at one write after the other: refused at the odd ones, and with
// the answer lost at the even ones. Another release that is
// published then is what is there, with nothing of the first one; after a rollback nothing is there.
func brokenFirst(t *testing.T, f Fixture, how breakage) {
	if !f.HTTP {
		t.Skip("the target's writes are no HTTP requests; its package breaks them in its own tests")
	}
	for n := 1 + int64(how); ; n += 2 {
		faults := &Faults{Base: http.DefaultTransport, At: n, Lost: how == lose}
		first, err := Publish(t.Context(), f.Open(t, faults), Release(v1))
		broken := err != nil || faults.Writes() >= n
		var again targets.Swap
		if broken && n%4 < 2 { // the same publish goes on, too
			_, again = mustPublish(t, f.Open(t, nil), v1)
			wantServed(t, f, f.Open(t, nil), v1)
		}
		_, second := mustPublish(t, f.Open(t, nil), v2)
		wantServed(t, f, f.Open(t, nil), v2)
		wantGone(t, f, "old.html")
		vacate(t, f, second, again, first)
		if t.Failed() {
			t.Fatalf("after the break at write %d", n)
		}
		if !broken {
			return
		}
	}
}

// vacate undoes commits until nothing is live.
func vacate(t *testing.T, f Fixture, swaps ...targets.Swap) {
	t.Helper()
	for _, s := range swaps {
		live, err := f.Open(t, nil).Live(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if live.Release != s.To {
			continue
		}
		if err := f.Open(t, nil).Rollback(t.Context(), s); err != nil {
			t.Fatalf("roll back to nothing: %v", err)
		}
	}
	wantLive(t, f.Open(t, nil), site.None)
	wantHeld(t, f.Open(t, nil), nil)
	for path := range maps.Keys(v1) {
		wantGone(t, f, path)
	}
	wantGone(t, f, "new.html")
}

// pause is a transport that holds up its nth write until it may go on.
type pause struct {
	at      int64
	reached chan struct{}
	goOn    chan struct{}
	writes  atomic.Int64
}

// RoundTrip sends the request.
func (p *pause) RoundTrip(r *http.Request) (*http.Response, error) {
	if isWrite(r) && p.writes.Add(1) == p.at {
		close(p.reached)
		<-p.goOn
	}
	return http.DefaultTransport.RoundTrip(r)
}

// waiting is for how long the second publisher is let work while the first one is held up.
const waiting = 300 * time.Millisecond

// twoAtFirst has a publisher be held up at each write of a first release, and another one publish
// meanwhile: of the two, one succeeds, and its release is there whole and alone.
func twoAtFirst(t *testing.T, f Fixture) {
	if _, fills := f.Open(t, nil).(targets.Prefiller); !fills {
		t.Skip("the kind of target puts nothing in place before the commit")
	}
	for n := int64(1); ; n++ {
		held := &pause{at: n, reached: make(chan struct{}), goOn: make(chan struct{})}
		a, b := f.Guarded(t, "a", longLease, held), f.Guarded(t, "b", longLease, nil)
		var swapA targets.Swap
		var errA error
		var first sync.WaitGroup
		ended := make(chan struct{})
		first.Go(func() {
			defer close(ended)
			swapA, errA = Publish(t.Context(), a, Release(v1))
		})
		select {
		case <-held.reached:
		case <-ended:
		case <-time.After(2 * time.Minute):
			t.Error("the first publisher neither writes nor ends")
		}
		var swapB targets.Swap
		var errB error
		over := make(chan struct{})
		first.Go(func() {
			defer close(over)
			swapB, errB = Publish(t.Context(), b, Release(v2))
		})
		select {
		case <-over:
		case <-time.After(waiting): // it waits for the commit under way
		}
		close(held.goOn)
		first.Wait()
		for who, err := range map[string]error{"a": errA, "b": errB} {
			if err != nil && !errors.Is(err, targets.ErrConflict) && !errors.Is(err, targets.ErrReserved) && !errors.Is(err, targets.ErrNotStaged) {
				t.Errorf("%s: %v", who, err)
			}
		}
		whole := held.writes.Load() < n // a had ended before b began
		switch {
		case errB == nil:
			wantServed(t, f, f.Guarded(t, "b", longLease, nil), v2)
			wantGone(t, f, "old.html")
		case errA == nil:
			wantServed(t, f, f.Guarded(t, "a", longLease, nil), v1)
			wantGone(t, f, "new.html")
		default:
			t.Errorf("neither publisher succeeded: %v, %v", errA, errB)
		}
		vacate(t, f, swapB, swapA)
		if t.Failed() {
			t.Fatalf("with the pause at write %d", n)
		}
		if whole {
			return
		}
	}
}
