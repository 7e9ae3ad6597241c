package publish_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/publish"
)

var usual = []string{"bucket s3", "image oci", "pages git"}

const patience = 2 * time.Minute

func TestSchedule(t *testing.T) {
	learnt := map[string]time.Duration{"pages": 3 * time.Second, "image": 1500 * time.Millisecond, "bucket": 20 * time.Millisecond}
	for _, c := range []struct {
		name      string
		roles     []string
		order     publish.Order
		unwatched bool
		want      string
	}{
		{name: "no history", roles: usual, order: publish.Order{Barrier: patience}, want: "image+0s pages+0s bucket|"},
		{name: "history", roles: usual, order: publish.Order{Lags: learnt, Barrier: patience}, want: "pages+0s image+1.5s bucket|"},
		{name: "auto by name", roles: usual, order: publish.Order{Mode: publish.Auto, Lags: learnt, Barrier: patience}, want: "pages+0s image+1.5s bucket|"},
		{name: "no barrier", roles: usual, order: publish.Order{Lags: learnt}, want: "pages+0s image+1.5s bucket+2.98s"},
		{name: "nobody watches", roles: usual, order: publish.Order{Lags: learnt, Barrier: patience}, unwatched: true, want: "pages+0s image+1.5s bucket+2.98s"},
		{name: "the fastest has no origin to see", roles: []string{"bucket s3 -", "image oci", "pages git"},
			order: publish.Order{Lags: learnt, Barrier: patience}, want: "pages+0s image+1.5s bucket+2.98s"},
		{name: "several are as fast", roles: []string{"disk dir", "bucket s3", "pages git"},
			order: publish.Order{Lags: learnt, Barrier: patience}, want: "pages+0s disk| bucket|"},
		{name: "all are as fast", roles: []string{"disk dir", "bucket s3"}, order: publish.Order{Barrier: patience}, want: "disk+0s bucket+0s"},
		{name: "all nearly as fast", roles: []string{"a git", "b git"}, order: publish.Order{Barrier: patience,
			Lags: map[string]time.Duration{"a": time.Second, "b": time.Second + 68*time.Millisecond}}, want: "a+0s b+0s"},
		{name: "noise beside a slow one", roles: []string{"disk dir", "bucket s3", "pages git"}, order: publish.Order{Barrier: patience,
			Lags: map[string]time.Duration{"disk": 10 * time.Millisecond, "bucket": 78 * time.Millisecond, "pages": 2 * time.Second}}, want: "pages+0s disk| bucket|"},
		{name: "the slowest one varies by more than it is slower", roles: []string{"disk dir", "pages git"}, order: publish.Order{Barrier: patience,
			Lags:    map[string]time.Duration{"disk": 10 * time.Millisecond, "pages": 300 * time.Millisecond},
			Spreads: map[string]time.Duration{"pages": 200 * time.Millisecond}}, want: "pages+0s disk|"},
		{name: "all vary, by less than they differ", roles: []string{"disk dir", "bucket s3", "image oci", "pages git"}, order: publish.Order{Barrier: patience,
			Lags:    map[string]time.Duration{"disk": 0, "bucket": 200 * time.Millisecond, "image": time.Second, "pages": 4 * time.Second},
			Spreads: map[string]time.Duration{"disk": 60 * time.Millisecond, "bucket": 60 * time.Millisecond, "image": 60 * time.Millisecond, "pages": 60 * time.Millisecond}},
			want: "pages+0s image+3s bucket+3.8s disk|"},
		{name: "the slowest one varies by more than another one takes", roles: []string{"disk dir", "image oci", "pages git"}, order: publish.Order{Barrier: patience,
			Lags:    map[string]time.Duration{"disk": 0, "image": 2 * time.Second, "pages": 20 * time.Second},
			Spreads: map[string]time.Duration{"pages": 5 * time.Second}}, want: "pages+0s disk| image|"},
		{name: "200 ms", roles: []string{"disk dir", "bucket s3"}, order: publish.Order{Barrier: patience,
			Lags: map[string]time.Duration{"disk": 10 * time.Millisecond, "bucket": 210 * time.Millisecond}}, want: "bucket+0s disk|"},
		{name: "one", roles: []string{"pages git"}, order: publish.Order{Lags: learnt, Barrier: patience}, want: "pages+0s"},
		{name: "a new one is taken to be as slow as the slowest", roles: []string{"bucket s3", "pages git", "new git"},
			order: publish.Order{Lags: learnt, Barrier: patience}, want: "pages+0s new+0s bucket|"},
		{name: "a new one that turns by itself", roles: []string{"new s3", "pages git"},
			order: publish.Order{Lags: learnt, Barrier: patience}, want: "pages+0s new|"},
		{name: "the registry is the slowest", roles: usual, order: publish.Order{Barrier: patience,
			Lags: map[string]time.Duration{"image": 3 * time.Second, "pages": time.Second, "bucket": 0}}, want: "image+0s pages+2s bucket|"},
		{name: "the registry is the slowest, and a bucket not the fastest", roles: []string{"bucket s3", "image oci", "pages git", "disk dir"}, order: publish.Order{Barrier: patience,
			Lags: map[string]time.Duration{"image": 4 * time.Second, "bucket": time.Second, "pages": 200 * time.Millisecond, "disk": 0}},
			want: "image+0s bucket+3s pages+3.8s disk|"},
		{name: "all that can be reserved is behind the barrier", roles: []string{"bucket s3", "image oci"}, order: publish.Order{Barrier: patience,
			Lags: map[string]time.Duration{"image": time.Second}}, want: "image+0s bucket|"},
		{name: "parallel", roles: usual, order: publish.Order{Mode: publish.Parallel, Lags: learnt, Barrier: patience}, want: "bucket+0s image+0s pages+0s"},
		{name: "listed", roles: usual, order: publish.Order{Mode: publish.Listed, Names: []string{"pages", "bucket", "image"}, Lags: learnt, Barrier: patience},
			want: "pages+0s bucket+0s image+0s"},
		{name: "listed, a registry first", roles: usual, order: publish.Order{Mode: publish.Listed, Names: []string{"image", "pages", "bucket"}},
			want: "image+0s pages+0s bucket+0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &stage{}
			o := publish.Options{Order: c.order, Events: silent{}, Watcher: s}
			if c.unwatched {
				o.Watcher = nil
			}
			report, err := publish.Plan(t.Context(), rel("new"), s.cast(c.roles...), o)
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(report.Schedule); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			for _, step := range report.Schedule {
				if step.Reason == "" {
					t.Errorf("%s has no reason", step.Name)
				}
			}
		})
	}
}

// shown writes a schedule as "name+after" or, behind the barrier, "name|".
func shown(steps []publish.Step) string {
	var all []string
	for _, s := range steps {
		if s.Barrier {
			all = append(all, s.Name+"|")
		} else {
			all = append(all, s.Name+"+"+s.After.String())
		}
	}
	return strings.Join(all, " ")
}

// TestScheduleLeavesOutWhatIsLive has an origin that serves the release already neither
// committed nor waited for.
func TestScheduleLeavesOutWhatIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{lags: map[string]time.Duration{"image": time.Second}}
		dests := s.cast(usual...)
		dests[2].Target.(*stand).live = rel("new").ID()
		close(s.turned["pages"])
		if report, err := s.run(t.Context(), publish.Order{Barrier: patience}, dests); err != nil || report.Outcome != publish.Live {
			t.Errorf("got %s, %v", report.Outcome, err)
		}
		s.told(t, "0s watch", "0s commit image", "0s await image", "1s commit bucket")
	})
}

func TestCommitsMeet(t *testing.T) {
	lags := map[string]time.Duration{"pages": 3 * time.Second, "image": 1500 * time.Millisecond}
	for _, c := range []struct {
		name  string
		order publish.Order
		want  []string
	}{
		{"with history", publish.Order{Lags: lags, Barrier: patience},
			[]string{"0s watch", "0s commit pages", "0s await pages", "1.5s commit image", "1.5s await pages image", "3s commit bucket"}},
		{"without, the barrier alone", publish.Order{Barrier: patience},
			[]string{"0s watch", "0s commit image", "0s commit pages", "0s await image pages", "3s commit bucket"}},
		{"with history and no barrier", publish.Order{Lags: map[string]time.Duration{"pages": 3 * time.Second, "image": 1500 * time.Millisecond, "bucket": 0}},
			[]string{"0s watch", "0s commit pages", "0s await pages", "1.5s commit image", "1.5s await pages image", "3s commit bucket"}},
		{"listed", publish.Order{Mode: publish.Listed, Names: []string{"bucket", "pages", "image"}, Lags: lags, Barrier: patience},
			[]string{"0s watch", "0s commit bucket", "0s commit pages", "0s commit image"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{lags: lags}
				report, err := s.run(t.Context(), c.order, s.cast(usual...))
				if err != nil || report.Outcome != publish.Live || report.Window == nil {
					t.Errorf("got %s, %v, window %v", report.Outcome, err, report.Window)
				}
				s.told(t, c.want...)
				if s.settled != 1 {
					t.Errorf("the watch was ended %d times", s.settled)
				}
			})
		})
	}
}

func TestBarrierDeadline(t *testing.T) {
	lags := map[string]time.Duration{"pages": time.Hour}
	t.Run("continue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{lags: lags}
			report, err := s.run(t.Context(), publish.Order{Barrier: patience}, s.cast(usual...))
			if err != nil || report.Outcome != publish.Live {
				t.Errorf("got %s, %v", report.Outcome, err)
			}
			s.told(t, "0s watch", "0s commit image", "0s commit pages", "0s await image pages",
				"2m0s note pages: not seen live within 2m0s; continuing", "2m0s commit bucket")
			if took := time.Since(s.started); took != 3*time.Minute {
				t.Errorf("took %s, want the verify timeout, the barrier included", took)
			}
		})
	})
	t.Run("roll back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{lags: lags}
			report, err := s.run(t.Context(), publish.Order{Barrier: patience, LateRollsBack: true}, s.cast(usual...))
			if report.Outcome != publish.RolledBack || !errors.Is(err, publish.ErrLate) || !strings.Contains(err.Error(), "pages (hint") {
				t.Errorf("got %s, %v", report.Outcome, err)
			}
			s.undone(t, "2m0s", "image", "pages")
		})
	})
	t.Run("not reached", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{lags: map[string]time.Duration{"pages": patience - 1}}
			report, err := s.run(t.Context(), publish.Order{Barrier: patience, LateRollsBack: true}, s.cast(usual...))
			if err != nil || report.Outcome != publish.Live {
				t.Errorf("got %s, %v", report.Outcome, err)
			}
		})
	})
}

// undone wants the named ones, and nothing else, to have been rolled back at a time, the
// bucket never to have been committed, and the watch to be over.
func (s *stage) undone(t *testing.T, at string, names ...string) {
	t.Helper()
	var got, want []string
	for _, line := range s.log {
		if strings.Contains(line, "rollback") {
			got = append(got, line)
		}
		if strings.Contains(line, "commit bucket") {
			t.Error(line)
		}
	}
	for _, name := range names {
		want = append(want, at+" rollback "+name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s.settled != 1 {
		t.Errorf("the watch was ended %d times", s.settled)
	}
}

func TestInterruptedChoreography(t *testing.T) {
	lags := map[string]time.Duration{"pages": 3 * time.Second, "image": 1500 * time.Millisecond}
	for _, c := range []struct {
		name   string
		after  time.Duration
		undone []string
	}{
		{"while the registry waits for its time", time.Second, []string{"pages"}},
		{"at the barrier", 2 * time.Second, []string{"image", "pages"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(c.after, cancel)
				s := &stage{lags: lags}
				report, err := s.run(ctx, publish.Order{Lags: lags, Barrier: patience}, s.cast(usual...))
				if report.Outcome != publish.RolledBack || !errors.Is(err, context.Canceled) {
					t.Errorf("got %s, %v", report.Outcome, err)
				}
				s.undone(t, c.after.String(), c.undone...)
			})
		})
	}
}

// TestLateFailure has the second commit fail: the third, behind the barrier, is not begun.
func TestLateFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{lags: map[string]time.Duration{"pages": 3 * time.Second}, fails: map[string]error{"image": errInjected}}
		lags := map[string]time.Duration{"pages": 3 * time.Second, "image": time.Second, "bucket": 0}
		report, err := s.run(t.Context(), publish.Order{Lags: lags, Barrier: patience}, s.cast(usual...))
		if report.Outcome != publish.RolledBack || !errors.Is(err, errInjected) {
			t.Errorf("got %s, %v", report.Outcome, err)
		}
		s.undone(t, "2s", "image", "pages")
	})
}
