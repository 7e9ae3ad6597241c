package history

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// Interrupted is the outcome of a run whose process ended before it did.
const Interrupted = "interrupted"

// maxLog bounds, in bytes, what is kept of a run's log: its end.
const maxLog = 64 << 10

// Run is one run of a job of the daemon.
type Run struct {
	Job  string
	Slot time.Time // that it was for, the key of its being run once
	// Triggered says that it is of no slot of the schedule: a person asked for it, or a folder
	// changed. Its Slot is when that was.
	Triggered bool
	Started   time.Time
	Elapsed   time.Duration // zero while it runs
	Outcome   string        // "" while it runs
	Err       string
	Log       string // the end of what it printed
}

// BeginRun remembers that a run began: its Job, Slot, Triggered and Started count, and an
// Outcome where there is nothing to wait for. It is false, and changes nothing, where the
// slot was begun before, by whatever process. On return that outlives the process.
func (s *Store) BeginRun(ctx context.Context, r Run) (begun bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		made, err := tx.ExecContext(ctx, `INSERT INTO run (job, slot, triggered, started, elapsed, outcome, err, log)
			VALUES (?, ?, ?, ?, 0, ?, '', '') ON CONFLICT DO NOTHING`, r.Job, nanos(r.Slot), r.Triggered, nanos(r.Started), r.Outcome)
		if err != nil {
			return err
		}
		n, err := made.RowsAffected()
		begun = n == 1
		return err
	})
	return begun, err
}

// EndRun remembers how the run of r's Job, Slot and Triggered went. What is empty in r stays
// as it is, so that one can tell the outcome and another the log.
func (s *Store) EndRun(ctx context.Context, r Run) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE run SET elapsed = iif(?1 <> 0, ?1, elapsed), outcome = iif(?2 <> '', ?2, outcome),
			err = iif(?3 <> '', ?3, err), log = iif(?4 <> '', ?4, log) WHERE job = ?5 AND triggered = ?6 AND slot = ?7`,
			r.Elapsed, r.Outcome, bounded(s.clean(r.Err), maxError), ending(s.clean(r.Log), maxLog), r.Job, r.Triggered, nanos(r.Slot))
		return err
	})
}

// ending keeps the last n bytes of a text, from the beginning of a line where there is one.
func ending(text string, n int) string {
	if len(text) > n {
		text = text[len(text)-n:]
		if _, rest, ok := strings.Cut(text, "\n"); ok && rest != "" {
			text = rest
		}
	}
	return bounded(text, n)
}

// LastSlot returns the latest slot of a job that was begun, and whether there is one. Runs
// that were triggered have none.
func (s *Store) LastSlot(ctx context.Context, job string) (time.Time, bool, error) {
	last, ok, err := first(s.runs(ctx, "WHERE job = ? AND triggered = 0 ORDER BY slot DESC LIMIT 1", job))
	return last.Slot, ok, err
}

// LastRun returns the run of a job that began last, and whether there is one.
func (s *Store) LastRun(ctx context.Context, job string) (Run, bool, error) {
	return first(s.runs(ctx, "WHERE job = ? ORDER BY started DESC LIMIT 1", job))
}

// RunFilter picks runs.
type RunFilter struct {
	Job    string    // of one job; "" for all
	Before time.Time // only those that began before; zero for all
	Since  time.Time // only those that began then or later
	Limit  int       // the newest so many; 0 for all
}

// Runs lists runs of jobs, the newest first.
func (s *Store) Runs(ctx context.Context, f RunFilter) ([]Run, error) {
	return s.runs(ctx, "WHERE (?1 = '' OR job = ?1) AND (?2 = 0 OR started < ?2) AND started >= ?3 ORDER BY started DESC LIMIT ?4",
		f.Job, nanos(f.Before), nanos(f.Since), limited(f.Limit))
}

// RecoverRuns gives those that never ended the outcome Interrupted, and returns them. It is
// for a process that starts and that alone runs jobs.
func (s *Store) RecoverRuns(ctx context.Context) (interrupted []Run, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		if interrupted, err = readRuns(ctx, tx, "WHERE outcome = '' ORDER BY started"); err != nil || len(interrupted) == 0 {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE run SET outcome = ? WHERE outcome = ''", Interrupted)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range interrupted {
		interrupted[i].Outcome = Interrupted
	}
	return interrupted, nil
}

func (s *Store) runs(ctx context.Context, where string, args ...any) (all []Run, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		all, err = readRuns(ctx, tx, where, args...)
		return err
	})
	return all, err
}

func readRuns(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Run, error) {
	rows, err := tx.QueryContext(ctx, "SELECT job, slot, triggered, started, elapsed, outcome, err, log FROM run "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Run
	for rows.Next() {
		var r Run
		var slot, started int64
		if err := rows.Scan(&r.Job, &slot, &r.Triggered, &started, &r.Elapsed, &r.Outcome, &r.Err, &r.Log); err != nil {
			return nil, err
		}
		r.Slot, r.Started = timeOf(slot), timeOf(started)
		all = append(all, r)
	}
	return all, rows.Err()
}
