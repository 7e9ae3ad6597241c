package publish_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/publish"
	"mirror/targets"
)

// guarded is a stand that can be reserved.
type guarded struct {
	*stand
	refuse func(try int) error // nil for never
	lost   func() bool         // whether the reservation is; nil for never
	tries  int
}

func (g *guarded) Reserve(_ context.Context, _ targets.Swap) (targets.Reservation, error) {
	g.tries++
	if g.refuse != nil {
		if err := g.refuse(g.tries); err != nil {
			return nil, err
		}
	}
	g.stage.note("reserve %s", g.name)
	return &seat{g}, nil
}

// seat is a reservation.
type seat struct{ *guarded }

func (s *seat) Assure(context.Context) error {
	if s.lost != nil && s.lost() {
		return targets.ErrConflict
	}
	return nil
}

func (s *seat) Release(context.Context) error {
	s.stage.note("release %s", s.name)
	return nil
}

// guard makes the named destinations ones that can be reserved, at places in the given order.
func (s *stage) guard(dests []targets.Destination, names ...string) map[string]*guarded {
	all := map[string]*guarded{}
	for place, name := range names {
		for i := range dests {
			if dests[i].Name == name {
				g := &guarded{stand: dests[i].Target.(*stand)}
				all[name], dests[i].Target, dests[i].Place = g, g, string(rune('a'+place))
			}
		}
	}
	return all
}

func (s *stage) count(what string) (n int) {
	for _, line := range s.log {
		if strings.Contains(line, what) {
			n++
		}
	}
	return n
}

// TestPlacesAreReservedBeforeTheFirstCommit has the registry be the slowest: it is committed first
// although it cannot be reserved, since the others are.
func TestPlacesAreReservedBeforeTheFirstCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{lags: map[string]time.Duration{"image": 3 * time.Second, "pages": time.Second}}
		dests := s.cast(usual...)
		s.guard(dests, "pages", "bucket")
		report, err := s.run(t.Context(), publish.Order{Lags: map[string]time.Duration{"image": 3 * time.Second, "pages": time.Second, "bucket": 0}, Barrier: patience}, dests)
		if err != nil || report.Outcome != publish.Live {
			t.Errorf("got %s, %v", report.Outcome, err)
		}
		s.told(t, "0s reserve pages", "0s reserve bucket", "0s watch", "0s commit image", "0s await image", "2s commit pages", "2s await image pages",
			"3s commit bucket", "3s release pages", "3s release bucket")
		if !strings.HasSuffix(s.log[0], "pages") || !strings.HasSuffix(s.log[1], "bucket") {
			t.Errorf("got %q, want the places to be reserved in their order", s.log[:2])
		}
	})
}

// TestTheLoserOfAReservationChangesNothing has something else be live than the plan saw.
func TestTheLoserOfAReservationChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{}
		dests := s.cast(usual...)
		s.guard(dests, "pages", "bucket")["bucket"].refuse = func(int) error { return targets.ErrConflict }
		report, err := s.run(t.Context(), publish.Order{Barrier: patience}, dests)
		if report.Outcome != publish.Failed || !errors.Is(err, targets.ErrConflict) || !strings.Contains(err.Error(), "publish again") {
			t.Errorf("got %s, %v", report.Outcome, err)
		}
		s.told(t, "0s reserve pages", "0s release pages")
	})
}

// TestAPublishWaitsForAnother has another publisher hold the second place for a while.
func TestAPublishWaitsForAnother(t *testing.T) {
	for _, c := range []struct {
		name  string
		tries int // for which the place is held
		then  error
		want  publish.Outcome
	}{
		{"that ends without a commit", 5, nil, publish.Live},
		{"that commits", 5, targets.ErrConflict, publish.Failed},
		{"that never ends", 1 << 30, nil, publish.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{}
				dests := s.cast(usual...)
				all := s.guard(dests, "pages", "bucket")
				all["bucket"].refuse = func(try int) error {
					if try <= c.tries {
						return targets.ErrReserved
					}
					return c.then
				}
				report, err := s.run(t.Context(), publish.Order{Barrier: patience}, dests)
				if report.Outcome != c.want || (err == nil) != (c.want == publish.Live) {
					t.Errorf("got %s, %v", report.Outcome, err)
				}
				if n := s.count("note bucket: another publish"); n != 1 {
					t.Errorf("said %d times that it waits", n)
				}
				if held, released := s.count("reserve pages"), s.count("release pages"); held != released || held != all["bucket"].tries {
					t.Errorf("the first place was reserved %d times and released %d times, at %d tries", held, released, all["bucket"].tries)
				}
				if took := time.Since(s.started); took > 10*time.Minute {
					t.Errorf("took %s", took)
				}
				if c.want == publish.Failed && s.count("commit") > 0 {
					t.Errorf("committed: %q", s.log)
				}
			})
		})
	}
}

// TestALostReservationStopsThePublish has the process be stopped, so that another publisher takes
// its places over: before the first commit, and between two.
func TestALostReservationStopsThePublish(t *testing.T) {
	for _, c := range []struct {
		name string
		at   time.Duration
		want publish.Outcome
		log  string
	}{
		{"before the first commit", 0, publish.Failed, ""},
		{"between two commits", time.Second, publish.RolledBack, "rollback pages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{lags: map[string]time.Duration{"pages": 3 * time.Second}}
				dests := s.cast("bucket s3", "pages git")
				s.guard(dests, "bucket", "pages")["bucket"].lost = func() bool { return time.Since(s.started) >= c.at }
				report, err := s.run(t.Context(), publish.Order{Barrier: patience}, dests)
				if report.Outcome != c.want || !errors.Is(err, targets.ErrConflict) {
					t.Errorf("got %s, %v", report.Outcome, err)
				}
				if n := s.count("commit bucket"); n != 0 || s.count(c.log) == 0 {
					t.Errorf("got %q", s.log)
				}
			})
		})
	}
}

// TestWaitingEndsWhenTheFactIsSeen has lags be learnt from a bulk upload, and origins that are much
// quicker now: the next step is taken when the ones before it were seen live, and those after it as
// much later as their lags differ.
func TestWaitingEndsWhenTheFactIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{lags: map[string]time.Duration{"image": time.Second, "pages": 10 * time.Millisecond, "disk": 2 * time.Second}}
		dests := s.cast("bucket s3", "image oci", "pages git", "disk dir")
		learnt := map[string]time.Duration{"image": 30 * time.Second, "disk": 12 * time.Second, "pages": 10 * time.Second, "bucket": 0}
		if _, err := s.run(t.Context(), publish.Order{Lags: learnt, Barrier: patience}, dests); err != nil {
			t.Error(err)
		}
		s.told(t, "0s watch", "0s commit image", "0s await image", "1s commit disk", "1s await image disk", "3s commit pages",
			"3s await image disk pages", "3.01s commit bucket")
	})
}

// TestAnOriginThatNothingShows has no sight end the waiting: the step before has no origin.
func TestAnOriginThatNothingShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{}
		learnt := map[string]time.Duration{"image": 3 * time.Second, "pages": time.Second}
		if _, err := s.run(t.Context(), publish.Order{Lags: learnt}, s.cast("image oci -", "pages git")); err != nil {
			t.Error(err)
		}
		s.told(t, "0s watch", "0s commit image", "2s commit pages")
	})
}
