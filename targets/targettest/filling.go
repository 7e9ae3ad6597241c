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
const waiting = 100 * time.Millisecond

// prefills skips the test where the kind of target puts nothing in place before the commit.
func prefills(t *testing.T, f Fixture) targets.Prefiller {
	t.Helper()
	p, fills := f.Open(t, nil).(targets.Prefiller)
	if !fills {
		t.Skip("the kind of target puts nothing in place before the commit")
	}
	return p
}

// filledBeside stages a release beside a live one: names with a content hash may be in place at once, and count
// nowhere. A commit of another release takes them away and keeps them staged; a rollback leaves nothing.
func filledBeside(t *testing.T, f Fixture) {
	prefills(t, f)
	mustPublish(t, f.Open(t, nil), g1)
	hidden := f.Open(t, nil).(targets.Prefiller)
	if err := hidden.StageUnseen(t.Context(), Release(g2), nil); err != nil {
		t.Fatal(err)
	}
	wantGone(t, f, asset2)
	live, err := f.Open(t, nil).Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tgt := f.Open(t, nil)
	if err := tgt.Stage(t.Context(), Release(g3), nil); err != nil {
		t.Fatal(err)
	}
	s := targets.Swap{From: live, To: Release(g3).ID()}
	for _, path := range tgt.(targets.Prefiller).Prefilled(s) {
		if path != asset3 {
			t.Errorf("%q is in place before the commit", path)
		}
		wantRead(t, f, path, g3[path])
	}
	wantServed(t, f, f.Open(t, nil), g1)
	if now, err := f.Open(t, nil).Live(t.Context()); err != nil || now != live {
		t.Errorf("live after stage: got %+v, %v; want %+v", now, err, live)
	}
	_, swap := mustPublish(t, f.Open(t, nil), g2)
	wantServed(t, f, f.Open(t, nil), g2)
	wantGone(t, f, asset3)
	if err := f.Open(t, nil).Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	wantServed(t, f, f.Open(t, nil), g1)
	wantGone(t, f, asset2)
	if err := f.Open(t, nil).Commit(t.Context(), s); err != nil { // from another process
		t.Fatalf("commit of what is staged: %v", err)
	}
	wantServed(t, f, f.Open(t, nil), g3)
	wantGone(t, f, asset1)
}

// brokenFilling publishes releases with hashed names, each broken at one write: every page of what is served has its
// assets, and a publish of the same release, or of another one, leaves nothing of the broken one.
func brokenFilling(t *testing.T, f Fixture, how breakage) {
	if prefills(t, f); !f.HTTP {
		t.Skip("the target's writes are no HTTP requests")
	}
	mustPublish(t, f.Open(t, nil), g1)
	for n := 1 + int64(how); ; n += 2 {
		faults := &Faults{Base: http.DefaultTransport, At: n, Lost: how == lose}
		_, err := Publish(t.Context(), f.Open(t, faults), Release(g2))
		broken := err != nil || faults.Writes() >= n
		page, err := f.Read("index.html")
		asset, text := asset1, "app 1"
		if string(page) == g2["index.html"] {
			asset, text = asset2, "app 2"
		}
		if err != nil {
			t.Errorf("home page: %v", err)
		}
		wantRead(t, f, asset, text)
		if broken && n%4 < 2 { // the same publish goes on, too
			mustPublish(t, f.Open(t, nil), g2)
			wantServed(t, f, f.Open(t, nil), g2)
		}
		mustPublish(t, f.Open(t, nil), g3)
		wantServed(t, f, f.Open(t, nil), g3)
		wantGone(t, f, asset1)
		wantGone(t, f, asset2)
		mustPublish(t, f.Open(t, nil), g1)
		wantServed(t, f, f.Open(t, nil), g1)
		wantGone(t, f, asset3)
		if t.Failed() {
			t.Fatalf("after the break at write %d", n)
		}
		if !broken {
			return
		}
	}
}

// twoAtFirst has a publisher be held up at each write of a first release, and another one publish
// meanwhile: of the two, one succeeds, and its release is there whole and alone.
func twoAtFirst(t *testing.T, f Fixture) { twoPublishers(t, f, nil, v1, v2) }

// twoBeside is twoAtFirst beside a live release with hashed names.
func twoBeside(t *testing.T, f Fixture) { twoPublishers(t, f, g1, g2, g3) }

func twoPublishers(t *testing.T, f Fixture, before, ofA, ofB Files) {
	if prefills(t, f); before != nil {
		mustPublish(t, f.Open(t, nil), before)
	}
	for n := int64(1); ; n++ {
		held := &pause{at: n, reached: make(chan struct{}), goOn: make(chan struct{})}
		a, b := meet(t, f, held, ofA, ofB)
		whole := held.writes.Load() < n // a had ended before b began
		switch {
		case b.err == nil:
			wantServed(t, f, f.Guarded(t, "b", longLease, nil), ofB)
		case a.err == nil:
			wantServed(t, f, f.Guarded(t, "a", longLease, nil), ofA)
		default:
			t.Errorf("neither publisher succeeded: %v, %v", a.err, b.err)
		}
		if before == nil {
			if b.err == nil {
				wantGone(t, f, "old.html")
			}
			vacate(t, f, b.swap, a.swap)
		} else { // which takes away what was put in place and is not live
			mustPublish(t, f.Open(t, nil), before)
			wantOnly(t, f, before, ofA, ofB)
		}
		if t.Failed() {
			t.Fatalf("with the pause at write %d", n)
		}
		if whole {
			return
		}
	}
}

// attempt is how a publish ended.
type attempt struct {
	swap targets.Swap
	err  error
}

// meet has one publisher begin while another one is held at a write, and waits for both.
func meet(t *testing.T, f Fixture, held *pause, ofA, ofB Files) (a, b attempt) {
	first, second := f.Guarded(t, "a", longLease, held), f.Guarded(t, "b", longLease, nil)
	var both sync.WaitGroup
	ended := make(chan struct{})
	both.Go(func() {
		defer close(ended)
		a.swap, a.err = Publish(t.Context(), first, Release(ofA))
	})
	select {
	case <-held.reached:
	case <-ended:
	case <-time.After(2 * time.Minute):
		t.Error("the first publisher neither writes nor ends")
	}
	over := make(chan struct{})
	both.Go(func() {
		defer close(over)
		b.swap, b.err = Publish(t.Context(), second, Release(ofB))
	})
	select {
	case <-over:
	case <-time.After(waiting): // it waits for the commit under way
	}
	close(held.goOn)
	both.Wait()
	for who, err := range map[string]error{"a": a.err, "b": b.err} {
		if err != nil && !errors.Is(err, targets.ErrConflict) && !errors.Is(err, targets.ErrReserved) && !errors.Is(err, targets.ErrNotStaged) {
			t.Errorf("%s: %v", who, err)
		}
	}
	return a, b
}

// wantOnly fails unless a release is served, and nothing of others.
func wantOnly(t *testing.T, f Fixture, files Files, others ...Files) {
	t.Helper()
	wantServed(t, f, f.Open(t, nil), files)
	for _, other := range others {
		for path := range other {
			if _, own := files[path]; !own {
				wantGone(t, f, path)
			}
		}
	}
}
