package history_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"mirror/internal/history"
	"mirror/internal/longtest"
	"mirror/internal/wait"
)

// lockFile holds the history's lock as another process would, until the test ends: writers are
// kept out, and with alone readers too.
func lockFile(t *testing.T, path string, alone bool) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	statements := []string{"BEGIN EXCLUSIVE"}
	if alone {
		// Out of WAL mode, an exclusive transaction keeps everyone out.
		statements = []string{"PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE", "CREATE TABLE other (x)"}
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// made is a history with a release, closed again.
func made(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), history.Name)
	s, err := history.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, big(10, 1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// endless is how long a store waits for a lock that nobody gives back: much longer than the
// test may take.
const endless = time.Hour

// TestLockedEndsOnContext calls everything that touches the file while another process has it.
func TestLockedEndsOnContext(t *testing.T) {
	longtest.Skip(t, "waits for a lock")
	calls := map[string]func(ctx context.Context, s *history.Store) error{
		"add a release": func(ctx context.Context, s *history.Store) error {
			return s.AddRelease(ctx, big(10, 2))
		},
		"learn lags": func(ctx context.Context, s *history.Store) error {
			return s.LearnLags(ctx, map[string]time.Duration{"a": 1})
		},
		"record a publish": func(ctx context.Context, s *history.Store) error {
			_, err := s.RecordPublish(ctx, history.Publish{})
			return err
		},
		"record a check": func(ctx context.Context, s *history.Store) error {
			_, err := s.RecordCheck(ctx, history.Check{Started: time.Now()}, nil)
			return err
		},
		"save validators": func(ctx context.Context, s *history.Store) error {
			return s.SaveValidators(ctx, "https://a.example/", nil)
		},
		"begin a run": func(ctx context.Context, s *history.Store) error {
			_, err := s.BeginRun(ctx, history.Run{Job: "a", Slot: time.Now()})
			return err
		},
		"recover runs": func(ctx context.Context, s *history.Store) error {
			_, err := s.RecoverRuns(ctx)
			return err
		},
		"prune": func(ctx context.Context, s *history.Store) error {
			_, err := s.Prune(ctx, time.Now(), history.Retention{Checks: time.Hour})
			return err
		},
	}
	path := made(t)
	s, err := history.OpenWithin(t.Context(), path, endless)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lockFile(t, path, false)
	for name, call := range calls {
		t.Run(name, func(t *testing.T) { endsSoon(t, func(ctx context.Context) error { return call(ctx, s) }) })
	}
}

// TestLockedForReadersEndsOnContext opens and reads a file that lets nobody in.
func TestLockedForReadersEndsOnContext(t *testing.T) {
	path := made(t)
	lockFile(t, path, true)
	endsSoon(t, func(ctx context.Context) error {
		s, err := history.OpenWithin(ctx, path, endless)
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = s.Lags(ctx)
		return err
	})
}

func endsSoon(t *testing.T, call func(ctx context.Context) error) {
	t.Helper()
	ctx, done := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer done()
	if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want it to say that the context ended", err)
	}
}

// TestLockedHasItsOwnBound writes without a deadline.
func TestLockedHasItsOwnBound(t *testing.T) {
	path := made(t)
	s, err := history.OpenWithin(t.Context(), path, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lockFile(t, path, false)
	if _, err := s.RecordPublish(t.Context(), history.Publish{}); !errors.Is(err, history.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
}

// TestLockedForAWhileIsWaitedOut has the lock go while a writer waits for it.
func TestLockedForAWhileIsWaitedOut(t *testing.T) {
	path := made(t)
	s, err := history.OpenWithin(t.Context(), path, endless)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	other, err := sql.Open("sqlite", "file:"+path+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(500*time.Millisecond, func() { other.Close() })
	if _, err := s.RecordPublish(t.Context(), history.Publish{}); err != nil {
		t.Error(err)
	}
}

// TestLockedEndsSoonAfterAnInterrupt records, in a context that outlives one that has ended, while
// another process has the file.
func TestLockedEndsSoonAfterAnInterrupt(t *testing.T) {
	path := made(t)
	s, err := history.OpenWithin(t.Context(), path, endless)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lockFile(t, path, false)
	interrupted, cancel := context.WithCancel(t.Context())
	within, done := wait.Outlive(interrupted, endless)
	defer done()
	time.AfterFunc(10*time.Millisecond, cancel) // while it waits
	if err := s.AddRelease(within, big(10, 2)); !errors.Is(err, history.ErrBusy) || within.Err() != nil {
		t.Errorf("got %v", err)
	}
}
