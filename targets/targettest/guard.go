package targettest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
)

// longLease does not run out in a test, and shortLease does: services tell the time to the second.
const (
	longLease  = time.Hour
	shortLease = time.Second
)

// publisher is one of several that want to publish to a place.
type publisher struct {
	targets.Target
	t    *testing.T
	swap targets.Swap
}

// publisher stages files and returns who may commit them. Skips the test where the kind has no Guard.
func (f Fixture) publisher(t *testing.T, owner string, lease time.Duration, files Files) publisher {
	t.Helper()
	if f.Guarded == nil {
		t.Skip("the kind of target has no guard")
	}
	p := publisher{Target: f.Guarded(t, owner, lease, nil), t: t}
	rel := Release(files)
	plan, err := p.Plan(t.Context(), rel)
	if err == nil {
		err = p.Stage(t.Context(), rel, nil)
	}
	if err != nil {
		t.Fatalf("%s: %v", owner, err)
	}
	p.swap = targets.Swap{From: plan.Live, To: rel.ID()}
	return p
}

// silence ends the renewals of a reservation. It skips the test where there are none.
func (f Fixture) silence(t *testing.T, r targets.Reservation) {
	t.Helper()
	if f.Silence != nil {
		f.Silence(r)
		return
	}
	p, ok := r.(interface{ Pause() })
	if !ok {
		t.Skip("a reservation ends with its process alone")
	}
	p.Pause()
}

func (p publisher) reserve() (targets.Reservation, error) {
	return p.Target.(targets.Guard).Reserve(p.t.Context(), p.swap)
}

func (p publisher) mustReserve() targets.Reservation {
	p.t.Helper()
	r, err := p.reserve()
	if err != nil {
		p.t.Fatalf("reserve: %v", err)
	}
	p.t.Cleanup(func() { _ = r.Release(context.WithoutCancel(p.t.Context())) }) // ends the renewals; the server may be gone
	return r
}

// wantRefused fails unless the place cannot be reserved, for a reason.
func (p publisher) wantRefused(reason error) {
	p.t.Helper()
	if _, err := p.reserve(); !errors.Is(err, reason) {
		p.t.Errorf("reserve: got %v, want %v", err, reason)
	}
}

// wantConflict fails unless the commit is refused.
func (p publisher) wantConflict() {
	p.t.Helper()
	if err := p.Commit(p.t.Context(), p.swap); !errors.Is(err, targets.ErrConflict) {
		p.t.Errorf("commit: got %v, want ErrConflict", err)
	}
}

func (p publisher) mustCommit() {
	p.t.Helper()
	if err := p.Commit(p.t.Context(), p.swap); err != nil {
		p.t.Fatalf("commit: %v", err)
	}
}

func (p publisher) mustRelease(r targets.Reservation) {
	p.t.Helper()
	if err := r.Release(p.t.Context()); err != nil {
		p.t.Fatalf("release: %v", err)
	}
}

// reserved has a publisher reserve a place that serves v1: visitors do not see that, others can plan and
// stage and neither reserve nor commit, and the commit uses the reservation up.
func reserved(t *testing.T, f Fixture) {
	mustPublish(t, f.Open(t, nil), v1)
	a := f.publisher(t, "a", longLease, v2)
	r := a.mustReserve()
	if live, err := a.Live(t.Context()); err != nil || live != a.swap.From {
		t.Errorf("live while reserved: got %+v, %v; want %+v", live, err, a.swap.From)
	}
	wantServed(t, f, a, v1)
	third := Files{"index.html": "third"}
	b := f.publisher(t, "b", longLease, third)
	b.wantRefused(targets.ErrReserved)
	b.wantConflict()
	if err := r.Assure(t.Context()); err != nil {
		t.Errorf("assure: %v", err)
	}
	a.mustCommit()
	wantServed(t, f, b, v2)
	if err := r.Assure(t.Context()); err != nil {
		t.Errorf("assure after the commit: %v", err)
	}
	b.wantRefused(targets.ErrConflict)
	c := f.publisher(t, "c", longLease, third)
	c.mustReserve()
	a.mustRelease(r) // of a place that is another publisher's now
	c.mustCommit()
	wantServed(t, f, f.Open(t, nil), third)
}

// reservedAndReleased has publishers take turns at a place that serves nothing, and at one that
// serves a release.
func reservedAndReleased(t *testing.T, f Fixture) {
	for _, before := range []Files{nil, v1} {
		if before != nil {
			mustPublish(t, f.Open(t, nil), before)
		}
		a, b := f.publisher(t, "a", longLease, v2), f.publisher(t, "b", longLease, Files{"index.html": "third"})
		for _, turn := range [][2]publisher{{a, b}, {b, a}} {
			r := turn[0].mustReserve()
			turn[1].wantRefused(targets.ErrReserved)
			turn[0].mustRelease(r)
			turn[0].mustRelease(r)
		}
		if before == nil {
			wantLive(t, f.Open(t, nil), site.None)
			wantHeld(t, f.Open(t, nil), nil)
			wantPlan(t, f.Open(t, nil), Release(Files{"index.html": "x"}), diff.Changes{Add: []string{"index.html"}})
		} else {
			wantServed(t, f, f.Open(t, nil), before)
		}
		b.mustReserve()
		a.wantRefused(targets.ErrReserved)
		b.mustCommit()
		a.wantRefused(targets.ErrConflict)
		if err := f.Open(t, nil).Rollback(t.Context(), b.swap); err != nil {
			t.Fatalf("roll back: %v", err)
		}
		if live, err := a.Live(t.Context()); err != nil || live != a.swap.From {
			t.Errorf("live after the rollback: got %+v, %v; want %+v", live, err, a.swap.From)
		}
		a.mustReserve()
		a.mustCommit()
		wantServed(t, f, f.Open(t, nil), v2)
	}
}

// reservedByTheSilent has a publisher be stopped while it holds a reservation. While its lease lasts it
// keeps others out; then one of them takes the place over, and the first one, when it goes on, changes
// nothing. Where none has taken it, it commits.
func reservedByTheSilent(t *testing.T, f Fixture) {
	mustPublish(t, f.Open(t, nil), v1)
	a, b := f.publisher(t, "a", shortLease, v2), f.publisher(t, "b", shortLease, Files{"index.html": "third"})
	stopped := a.mustReserve()
	f.silence(t, stopped)
	taken := b.takeOver()
	if err := stopped.Assure(t.Context()); !errors.Is(err, targets.ErrConflict) {
		t.Errorf("assure of a lost reservation: got %v, want ErrConflict", err)
	}
	a.wantConflict()
	a.mustRelease(stopped)
	if err := taken.Assure(t.Context()); err != nil {
		t.Errorf("assure of the reservation that was taken over: %v", err)
	}
	wantServed(t, f, f.Open(t, nil), v1)
	b.mustCommit()
	wantServed(t, f, f.Open(t, nil), Files{"index.html": "third"})

	c := f.publisher(t, "c", shortLease, v2)
	stopped = c.mustReserve()
	f.silence(t, stopped)
	time.Sleep(shortLease) // the test is about a lease that has run out
	if err := stopped.Assure(t.Context()); err != nil {
		t.Errorf("assure where no other publisher was there: %v", err)
	}
	c.mustCommit()
	wantServed(t, f, f.Open(t, nil), v2)
}

// takeOver tries until the place is free.
func (p publisher) takeOver() targets.Reservation {
	p.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		r, err := p.reserve()
		switch {
		case err == nil:
			p.t.Cleanup(func() { _ = r.Release(context.WithoutCancel(p.t.Context())) })
			return r
		case !errors.Is(err, targets.ErrReserved), time.Now().After(deadline):
			p.t.Fatalf("reserve: %v", err)
		}
	}
}

// brokenReservation breaks a reservation at each of its writes: the next run of the same publisher
// mends it at once.
func brokenReservation(t *testing.T, f Fixture) {
	if !f.HTTP {
		t.Skip("the target's writes are no HTTP requests")
	}
	mustPublish(t, f.Open(t, nil), v1)
	for _, lost := range []bool{false, true} {
		for n := int64(1); ; n++ {
			p := f.publisher(t, "a", longLease, v2)
			faults := &Faults{Base: http.DefaultTransport, At: n, Lost: lost}
			broken := publisher{Target: f.Guarded(t, "a", longLease, faults), t: t, swap: p.swap}
			r, err := broken.reserve()
			wantServed(t, f, f.Open(t, nil), v1)
			again := p.mustReserve()
			p.mustRelease(again)
			if err == nil {
				_ = r.Release(t.Context()) // over the broken network
			}
			if err == nil && faults.Writes() < n {
				break
			}
		}
	}
	p := f.publisher(t, "b", longLease, v2)
	p.mustReserve()
	p.mustCommit()
	wantServed(t, f, f.Open(t, nil), v2)
}
