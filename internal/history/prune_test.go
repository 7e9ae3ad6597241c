package history_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// year fills a history with a day of checks for each of so many days, drift at noon, and a
// publish and a run each.
func year(t *testing.T, s *history.Store, days int) {
	t.Helper()
	for n := range days * 4 {
		var found []diff.Difference
		if n%4 == 2 || n == 1 {
			found = []diff.Difference{stale("x")}
		}
		c, all := checked(n*6*60, found...)
		c.Origins[0].Slowest = []diff.Slow{{Path: fmt.Sprint("page-of-day-", n/4), Took: time.Second}}
		changes := record(t, s, c, all)
		for _, e := range changes.Opened {
			if err := s.RecordSent(t.Context(), fmt.Sprintf("slack/%d/opened", e.ID), e.Opened, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n%4 != 0 {
			continue
		}
		if _, err := s.RecordPublish(t.Context(), history.Publish{Started: minute(n * 6 * 60), Outcome: "live"}); err != nil {
			t.Fatal(err)
		}
		for _, job := range []string{"drift", "daily"} {
			if job == "daily" && n > 0 {
				continue // a job that ran once, long ago
			}
			if _, err := s.BeginRun(t.Context(), history.Run{Job: job, Slot: minute(n * 6 * 60), Started: minute(n * 6 * 60)}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func prune(t *testing.T, s *history.Store, now time.Time, keep history.Retention) history.Pruned {
	t.Helper()
	p, err := s.Prune(t.Context(), now, keep)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPruneForgetsWhatIsOld(t *testing.T) {
	path, day := place(t), 24*time.Hour
	s := open(t, path)
	year(t, s, 100)
	now := minute(100 * 24 * 60)
	prune(t, s, now, history.Retention{}) // for ever
	if n := rowsOf(t, path, "check"); n != 400 {
		t.Fatalf("got %d checks, want all", n)
	}
	p := prune(t, s, now, history.Retention{Checks: 10 * day, Episodes: 50 * day, Publishes: 20 * day, Runs: 5 * day})
	for table, want := range map[string]int{"check": 40, "check_origin": 40, "publish": 20, "run": 6, "slow": 50, "sent": 51} {
		if got := rowsOf(t, path, table); got < want-1 || got > want+1 {
			t.Errorf("%s: got %d rows, want %d", table, got, want)
		}
	}
	if p.Checks != 360 || p.Publishes != 80 || p.Episodes == 0 || p.Sent == 0 || p.Days == 0 || p.Runs == 0 {
		t.Errorf("got %+v", p)
	}
	for _, job := range []string{"drift", "daily"} {
		if _, ok, err := s.LastSlot(t.Context(), job); err != nil || !ok {
			t.Errorf("the latest slot of %s is forgotten (%v): it would be run again", job, err)
		}
	}
	if texts := rowsOf(t, path, "text"); texts > 60 {
		t.Errorf("got %d texts; want those of 50 days", texts)
	}
	if slow, err := s.Slowest(t.Context(), now.Add(-100*day), now, 0); err != nil || len(slow) < 49 || slices.ContainsFunc(slow, func(p history.SlowPage) bool { return p.Path == "" }) {
		t.Errorf("got %d slow pages, %v; want those of 50 days, all with their paths", len(slow), err)
	}
	if c, ok, err := s.LastCheck(t.Context()); err != nil || !ok || c.Origins[0].Slowest[0].Path != "page-of-day-99" || c.Origins[0].URL == "" {
		t.Errorf("got %+v, %v, %v", c, ok, err)
	}
}

func TestOpenEpisodesNeverGo(t *testing.T) {
	s := open(t, place(t))
	play(t, s, []diff.Difference{stale("x")})
	if err := s.RecordSent(t.Context(), "slack/1/opened", minute(0), nil); err != nil {
		t.Fatal(err)
	}
	prune(t, s, minute(1e6), history.Retention{Checks: time.Hour, Episodes: time.Hour, Publishes: time.Hour, Runs: time.Hour, Bytes: 1})
	if got := say(episodesOf(t, s)); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	if told, err := s.Sent(t.Context(), "slack/1/opened"); err != nil || !told {
		t.Errorf("got %v, %v: it would be told again", told, err)
	}
	c, found := checked(1e6 + 1)
	if changes := record(t, s, c, found); len(changes.Closed) != 1 {
		t.Errorf("got %+v, want it to end", changes)
	}
}

func TestPruneGivesSpaceBack(t *testing.T) {
	path := place(t)
	s := open(t, path)
	year(t, s, 150)
	wantSize := func(bound int64) {
		t.Helper()
		if size, err := s.Size(); err != nil || size > bound {
			t.Errorf("got %d bytes, %v; want at most %d", size, err, bound)
		}
	}
	prune(t, s, minute(0), history.Retention{})
	all, err := s.Size()
	if err != nil {
		t.Fatal(err)
	}
	p := prune(t, s, minute(0), history.Retention{Bytes: all - 20_000})
	wantSize(all - 20_000)
	left, err := s.Checks(t.Context(), time.Time{}, 0)
	if err != nil || len(left) == 0 || int64(len(left)) != 600-p.Checks || p.Bytes < 20_000 {
		t.Fatalf("got %d checks, %+v, %v", len(left), p, err)
	}
	if want := minute(599 * 6 * 60); !left[0].Started.Equal(want) {
		t.Errorf("got a newest check of %s, want %s", left[0].Started, want)
	}
	prune(t, s, minute(0), history.Retention{Bytes: 1})
	if n := rowsOf(t, path, "check"); n != 0 {
		t.Errorf("got %d checks, want none", n)
	}
	if n := rowsOf(t, path, "publish"); n != 150 {
		t.Errorf("got %d publishes, want all", n)
	}
	sound(t, path)
}

// sound has SQLite look through the file.
func sound(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("got %q, %v", verdict, err)
	}
}
