package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/history"
	"mirror/internal/wait"
	"mirror/scheduler"
)

// TestRollbackRunsWhenItIsAskedFor at once and never by itself, one at a time, and each to the release that was asked for.
// What begins nothing is no publish; what fails is told.
func TestRollbackRunsWhenItIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		w := newWorld(t, dir, func(s *Setup) {
			s.Jobs = append(s.Jobs, Job{Name: "back", Kind: Rollback})
			s.Work.Rollback = func(ctx context.Context, r RollbackRequest, _ io.Writer) (history.Publish, error) {
				asked = append(asked, r.Release)
				_ = wait.Sleep(ctx, 10*time.Second)
				row := history.Publish{Outcome: "live", Release: "aa", Details: history.PublishDetails{Rollback: true}}
				switch r.Release {
				case "ff":
					return history.Publish{}, errors.New("no target holds a release ff")
				case "bb":
					row.Outcome = "mixed"
					return row, errors.New("s3: refused")
				}
				return row, nil
			}
		})
		time.Sleep(3 * time.Hour)
		for _, release := range []string{"aa", "", "ff", "bb"} {
			if err := w.daemon.Rollback(release); err != nil {
				t.Errorf("%q: %v", release, err)
			}
			if err := w.daemon.Rollback("cc"); !errors.Is(err, scheduler.ErrRunning) {
				t.Errorf("while %q runs: %v", release, err)
			}
			time.Sleep(2 * time.Minute)
		}
		all, err := w.history.Publishes(t.Context(), time.Time{}, 0)
		if got := fmt.Sprintf("%d %s %s %t %v", len(all), all[0].Outcome, all[0].Job, all[0].Details.Rollback, err); got != "3 mixed back true <nil>" {
			t.Errorf("on record: %s", got)
		}
		w.tells("opened publish_failed ")
		w.end()
		if want := "mirror: rollback failed and could not be rolled back: origins may be mixed: s3: refused"; !slices.Contains(w.inbox.titles, want) {
			t.Errorf("titles %q, want %q", w.inbox.titles, want)
		}
		if !slices.Equal(asked, []string{"aa", "", "ff", "bb"}) {
			t.Errorf("got %q", asked)
		}
	})
}

// TestRollbackWithoutItsJob is unknown.
func TestRollbackWithoutItsJob(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, nil)
		time.Sleep(time.Minute)
		if err := w.daemon.Rollback(""); !errors.Is(err, scheduler.ErrUnknown) {
			t.Errorf("got %v", err)
		}
		w.end()
	})
}

// TestKilledRollbackIsCompletedAtTheStart and the site's folder, which is newer, is not published.
func TestKilledRollbackIsCompletedAtTheStart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var asked []RollbackRequest
		w := newWorld(t, dir, func(s *Setup) {
			s.Unfinished = true
			s.Jobs = append(s.Jobs, Job{Name: "back", Kind: Rollback})
			s.Work.Rollback = func(_ context.Context, r RollbackRequest, _ io.Writer) (history.Publish, error) {
				asked = append(asked, r)
				return history.Publish{Outcome: "live"}, nil
			}
		})
		time.Sleep(time.Hour)
		w.end()
		if !slices.Equal(asked, []RollbackRequest{{Resume: true}}) {
			t.Errorf("asked for %+v", asked)
		}
	})
}
