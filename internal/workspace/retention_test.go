package workspace

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/targets"
)

// pruner is a target that only drops old releases: with err, or when its context ends.
type pruner struct {
	targets.Target
	silent bool
	err    error
	calls  *int
}

func (p pruner) Prune(ctx context.Context, _ targets.Retention) error {
	*p.calls++
	if p.silent {
		<-ctx.Done()
		return ctx.Err()
	}
	return p.err
}

// TestPruneHasADeadline has one target that does not answer beside one that fails and one that does its work.
func TestPruneHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls [3]int
		dests := []targets.Destination{
			{Name: "silent", Target: pruner{silent: true, calls: &calls[0]}},
			{Name: "failing", Target: pruner{err: errors.New("access denied"), calls: &calls[1]}},
			{Name: "quick", Target: pruner{calls: &calls[2]}},
			{Name: "other", Target: nil},
		}
		began := time.Now()
		all := pruneAll(t.Context(), dests, targets.Retention{})
		if elapsed := time.Since(began); elapsed > pruning {
			t.Errorf("took %s, want at most %s", elapsed, pruning)
		}
		if len(all) != 3 || calls != [3]int{1, 1, 1} || all[2].err != nil {
			t.Errorf("got %+v, calls %v", all, calls)
		}
		if err := all[0].err; !errors.Is(err, errPruning) {
			t.Errorf("silent: got %v, want the deadline", err)
		}
		if err := all[1].err; err == nil || err.Error() != "access denied" {
			t.Errorf("failing: got %v, want its own error", err)
		}
	})
}

// TestPruneThatIsInterrupted ends with the run, and is a warning of each target.
func TestPruneThatIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { interrupt(errors.New("interrupted by a signal")) })
		var calls int
		began := time.Now()
		for range 2 { // while it goes on, and before it has begun
			all := pruneAll(ctx, []targets.Destination{{Name: "silent", Target: pruner{silent: true, calls: &calls}}}, targets.Retention{})
			if len(all) != 1 || all[0].err == nil || !strings.Contains(all[0].err.Error(), "interrupted by a signal") {
				t.Errorf("got %+v, want the interruption", all)
			}
		}
		if elapsed := time.Since(began); elapsed != time.Second || calls != 1 {
			t.Errorf("ended after %s and %d calls, want one second and one call", elapsed, calls)
		}
	})
}
