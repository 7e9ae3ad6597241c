package scheduler

import (
	"testing"
	"time"
)

const eve = "@at 2026-12-24T18:00:00+01:00" // 17:00 UTC

func TestOnceHasOneSlot(t *testing.T) {
	s, at := schedule(t, eve), instant(t, "2026-12-24T17:00:00Z")
	if s.Once() != at || s.String() != eve || s.Describe() != "once, at 2026-12-24 17:00:00 UTC" {
		t.Errorf("got %s, %s, %s", s.Once(), s, s.Describe())
	}
	if next := s.Next(at.Add(-time.Second)); next != at {
		t.Errorf("before: next is %s", next)
	}
	if next := s.Next(at); !next.IsZero() {
		t.Errorf("at: next is %s", next)
	}
	if prev := s.Prev(at.Add(time.Nanosecond)); prev != at {
		t.Errorf("after: the one before is %s", prev)
	}
	if prev := s.Prev(at); !prev.IsZero() {
		t.Errorf("at: the one before is %s", prev)
	}
	if !schedule(t, "0 9 * * *").Once().IsZero() {
		t.Error("a daily job has one slot only")
	}
}

// TestOnceRunsOnce restarts before and after the instant, and lets the clock go back behind it.
func TestOnceRunsOnce(t *testing.T) {
	inWorld(t, "2026-12-24T16:00:00Z", func(t *testing.T, w *world) {
		ledger := &Memory{}
		w.start(Options{Ledger: ledger}, w.job("a", eve)).end()
		w.pass("2026-12-24T16:59:59Z")
		p := w.start(Options{Ledger: ledger}, w.job("a", eve))
		w.pass("2026-12-24T17:30:00Z")
		w.ranThese("12-24T17:00")
		w.leap(-time.Hour)
		time.Sleep(3 * time.Hour)
		p.end()
		for _, span := range [][2]string{{"2026-12-24T20:00:00Z", "2026-12-26T00:00:00Z"}, {"2027-12-24T12:00:00Z", "2027-12-25T00:00:00Z"}} {
			w.pass(span[0])
			p = w.start(Options{Ledger: ledger}, w.job("a", eve))
			w.pass(span[1])
			p.end()
		}
		w.ranThese()
	})
}

// TestOnceIsCaughtUp has a machine that is off at the instant, with and without catching up, and a job that comes
// after its instant.
func TestOnceIsCaughtUp(t *testing.T) {
	for _, catchUp := range []bool{true, false} {
		inWorld(t, "2026-12-24T16:00:00Z", func(t *testing.T, w *world) {
			ledger, job := &Memory{}, w.job("a", eve)
			job.CatchUp = catchUp
			w.start(Options{Ledger: ledger}, job).end()
			w.pass("2026-12-25T09:00:00Z")
			p := w.start(Options{Ledger: ledger}, job, w.job("new", eve))
			w.pass("2026-12-26T00:00:00Z")
			p.end()
			var want []string
			if catchUp {
				want = []string{"12-24T17:00 caught up"}
			}
			w.ranThese(want...)
		})
	}
}
