package daemon

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/diff"
	"mirror/scheduler"
)

// TestAJobThatHangsBlocksNoOther runs a job that does not hear of its timeout, and then others.
func TestAJobThatHangsBlocksNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Daemon{world: make(chan struct{}, 1)}
		release := make(chan struct{})
		perform := func(job string, prune func()) error {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, scheduler.ErrTimeout)
			defer cancel()
			work := Work{Prune: func(context.Context, io.Writer) error { prune(); return nil }}
			r := &run{Daemon: d, job: Job{Name: job, Kind: Prune}, work: work, began: time.Now()}
			return r.perform(ctx)
		}
		began := time.Now()
		err := perform("stuck", func() { <-release })
		if took := time.Since(began); !errors.Is(err, scheduler.ErrTimeout) || took > 2*time.Minute {
			t.Errorf("got %v after %s", err, took)
		}
		if got := d.Hanging(); !slices.Equal(got, []string{"stuck"}) {
			t.Errorf("%q hang", got)
		}
		if err := perform("next", func() {}); err != nil {
			t.Errorf("the next job: %v", err)
		}
		if err := perform("stuck", func() { t.Error("it runs twice at once") }); err == nil || !strings.Contains(err.Error(), "still hangs") {
			t.Errorf("the same job once more: got %v", err)
		}
		close(release)
		synctest.Wait()
		if got := d.Hanging(); len(got) > 0 {
			t.Errorf("%q hang after their end", got)
		}
		if err := perform("stuck", func() {}); err != nil {
			t.Errorf("the same job after its end: %v", err)
		}
	})
}

// TestAJobMayEndAfterItsTimeout cleans up for a while.
func TestAJobMayEndAfterItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Daemon{world: make(chan struct{}, 1)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		over := errors.New("over")
		r := &run{Daemon: d, job: Job{Name: "slow", Kind: Check}, work: Work{Check: func(ctx context.Context, _ io.Writer) (diff.Verdict, error) {
			<-ctx.Done()
			time.Sleep(lingering / 2)
			return diff.Verdict{}, over
		}}}
		if err := r.perform(ctx); !errors.Is(err, over) || len(d.Hanging()) > 0 {
			t.Errorf("got %v, hanging %q", err, d.Hanging())
		}
	})
}

func TestAPanicOfAJobIsItsOutcome(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic("oops") }, "goexit": runtime.Goexit} {
		r := &run{Daemon: &Daemon{world: make(chan struct{}, 1)}, job: Job{Kind: Prune}, work: Work{Prune: func(context.Context, io.Writer) error { fail(); return nil }}}
		err := r.perform(t.Context())
		if outcomeOf(t.Context(), err) != scheduler.Panicked {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
