package daemon

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/history"
	"mirror/scheduler"
)

// TestAStagedReleaseGoesLiveAtItsTime runs the job once at its instant, is interrupted, and runs it again at the next
// start: there is no other slot. Who asks for a publish of the site does not start it.
func TestAStagedReleaseGoesLiveAtItsTime(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
		var mu sync.Mutex // guards asked
		var asked []string
		var blocked atomic.Bool
		blocked.Store(true)
		runs := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(asked)
		}
		change := func(s *Setup) {
			s.Jobs = []Job{{Name: "announcement", Kind: Release, Schedule: every(t, "@at "+at.Format(time.RFC3339)), CatchUp: true, Release: "91b04bd640a3", Timeout: time.Hour}}
			s.Work.Release = func(ctx context.Context, release string, _ io.Writer) (history.Publish, error) {
				mu.Lock()
				asked = append(asked, release+" "+time.Now().UTC().Format(time.TimeOnly))
				mu.Unlock()
				if blocked.Load() {
					<-ctx.Done()
					return history.Publish{Outcome: "failed"}, ctx.Err()
				}
				return history.Publish{Outcome: "live", Release: "aa"}, nil
			}
		}
		w := newWorld(t, dir, change)
		time.Sleep(time.Hour)
		if err := w.daemon.Trigger(Publish); !errors.Is(err, scheduler.ErrUnknown) {
			t.Errorf("a publish of the site: got %v", err)
		}
		if early := runs(); len(early) > 0 {
			t.Errorf("it is live before its time: %q", early)
		}
		time.Sleep(time.Hour + time.Minute)
		w.end()
		if got := runs(); len(got) != 1 || got[0] != "91b04bd640a3 "+at.Format(time.TimeOnly) {
			t.Fatalf("got %q", got)
		}
		blocked.Store(false)
		for range 2 {
			again := newWorld(t, dir, change)
			time.Sleep(3 * time.Hour)
			if p, ok, err := again.history.LastPublish(t.Context()); err != nil || !ok || p.Outcome != "live" || p.Job != "announcement" {
				t.Errorf("remembered %+v, %v, %v", p, ok, err)
			}
			again.end()
		}
		if got := runs(); len(got) != 2 {
			t.Errorf("got %q, want one run more", got)
		}
	})
}
