package history

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Retention says for how long things are remembered; 0 is for ever.
type Retention struct {
	Checks    time.Duration // each check on its own
	Episodes  time.Duration // after they ended; also the days, and what was told
	Publishes time.Duration
	Runs      time.Duration
	// Bytes bounds the size of it all; 0 is no bound. The oldest checks go first, and nothing
	// but checks goes for it.
	Bytes int64
}

// Pruned tells how much was forgotten.
type Pruned struct {
	Checks, Episodes, Days, Publishes, Runs, Sent int64
	Bytes                                         int64 // by which the file shrank
}

// Prune forgets what need not be remembered any longer, in small steps between which others
// can write, and gives the space back. Open episodes never go, nor what was told of them, nor
// the latest slot of a job.
func (s *Store) Prune(ctx context.Context, now time.Time, keep Retention) (Pruned, error) {
	var p Pruned
	db, err := s.reading(ctx)
	if db == nil || err != nil {
		return p, err
	}
	before, err := s.Size()
	if err != nil {
		return p, err
	}
	for _, step := range steps(now, keep) {
		n, err := s.forgetAll(ctx, step.query, step.args...)
		if err != nil {
			return p, err
		}
		*step.count(&p) += n
	}
	if err := s.shrink(ctx, keep.Bytes, &p); err != nil {
		return p, err
	}
	if err := s.forgetTexts(ctx); err != nil {
		return p, err
	}
	if err := s.giveBack(ctx, db); err != nil {
		return p, err
	}
	after, err := s.Size()
	p.Bytes = before - after
	return p, err
}

// How many rows go in one transaction: those that are too old, and those that are too many.
const (
	stepRows   = 2000
	shrinkRows = 250
)

// step deletes some rows that are too old; its last argument bounds how many.
type step struct {
	query string
	args  []any
	count func(p *Pruned) *int64
}

func steps(now time.Time, keep Retention) []step {
	var all []step
	add := func(after time.Duration, count func(p *Pruned) *int64, query string, more ...any) {
		if after > 0 {
			all = append(all, step{query, append([]any{nanos(now.Add(-after)), stepRows}, more...), count})
		}
	}
	add(keep.Checks, func(p *Pruned) *int64 { return &p.Checks },
		`DELETE FROM "check" WHERE id IN (SELECT id FROM "check" WHERE started < ? LIMIT ?)`)
	add(keep.Episodes, func(p *Pruned) *int64 { return &p.Episodes },
		"DELETE FROM episode WHERE id IN (SELECT id FROM episode WHERE closed > 0 AND closed < ? LIMIT ?)")
	add(keep.Episodes, func(p *Pruned) *int64 { return &p.Sent },
		`DELETE FROM sent WHERE key IN (SELECT key FROM sent WHERE at < ? AND at < (SELECT coalesce(min(opened), 9e18) FROM episode) LIMIT ?)`)
	add(keep.Publishes, func(p *Pruned) *int64 { return &p.Publishes },
		"DELETE FROM publish WHERE id IN (SELECT id FROM publish WHERE started < ? LIMIT ?)")
	add(keep.Runs, func(p *Pruned) *int64 { return &p.Runs },
		`DELETE FROM run WHERE rowid IN (SELECT rowid FROM run WHERE started < ? AND
			slot < (SELECT max(slot) FROM run AS newest WHERE newest.job = run.job AND newest.triggered = run.triggered) LIMIT ?)`)
	if keep.Episodes > 0 {
		day := dayOf(now.Add(-keep.Episodes))
		all = append(all,
			step{"DELETE FROM day WHERE (day, origin) IN (SELECT day, origin FROM day WHERE day < ? LIMIT ?)", []any{day, stepRows}, func(p *Pruned) *int64 { return &p.Days }},
			step{"DELETE FROM slow WHERE (day, origin, page) IN (SELECT day, origin, page FROM slow WHERE day < ? LIMIT ?)", []any{day, stepRows}, func(*Pruned) *int64 { return new(int64) }},
		)
	}
	return all
}

// forgetAll deletes until there is nothing left to delete.
func (s *Store) forgetAll(ctx context.Context, query string, args ...any) (all int64, err error) {
	for {
		n, err := s.forgetSome(ctx, query, args...)
		all += n
		if n == 0 || err != nil {
			return all, err
		}
	}
}

func (s *Store) forgetSome(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		gone, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = gone.RowsAffected()
		return err
	})
	return n, err
}

// shrink deletes the oldest checks until what is kept fits.
func (s *Store) shrink(ctx context.Context, bound int64, p *Pruned) error {
	for bound > 0 {
		used, err := s.used(ctx)
		if err != nil || used <= bound {
			return err
		}
		n, err := s.forgetSome(ctx, `DELETE FROM "check" WHERE id IN (SELECT id FROM "check" ORDER BY id LIMIT ?)`, shrinkRows)
		if err != nil {
			return err
		}
		if p.Checks += n; n == 0 {
			return nil
		}
	}
	return nil
}

// used is how many bytes of the file hold something.
func (s *Store) used(ctx context.Context) (n int64, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT (page_count - freelist_count) * page_size
			FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&n)
	})
	return n, err
}

// forgetTexts drops the texts of days of which nothing is kept.
func (s *Store) forgetTexts(ctx context.Context) error {
	var oldest int64
	err := s.read(ctx, func(tx *sql.Tx) error {
		var started, day sql.NullInt64
		err := tx.QueryRowContext(ctx, `SELECT (SELECT min(started) FROM "check"), (SELECT min(day) FROM slow)`).Scan(&started, &day)
		if err != nil || !started.Valid && !day.Valid {
			return err
		}
		oldest = dayOf(timeOf(started.Int64))
		if !started.Valid || day.Valid && day.Int64 < oldest {
			oldest = day.Int64
		}
		return nil
	})
	if err != nil || oldest == 0 {
		return err
	}
	_, err = s.forgetAll(ctx, "DELETE FROM text WHERE id IN (SELECT id FROM text WHERE used < ? LIMIT ?)", oldest, stepRows)
	return err
}

// giveBack returns free space to the file system. A file of before this was foreseen is
// written anew, once.
func (s *Store) giveBack(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return s.explain(err)
	}
	defer conn.Close()
	var mode int
	if err := conn.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode); err != nil {
		return s.explain(err)
	}
	const incremental = 2
	queries := []string{"PRAGMA incremental_vacuum", "PRAGMA wal_checkpoint(TRUNCATE)"}
	if mode != incremental {
		queries = []string{"PRAGMA auto_vacuum = incremental", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"}
	}
	for _, query := range queries {
		if err := s.awaitFree(ctx, func() error { return run(ctx, conn, query) }); err != nil {
			return s.explain(fmt.Errorf("%s: %w", query, err))
		}
	}
	return nil
}

// run runs a pragma to its end: some do a part of their work for each row that is read.
func run(ctx context.Context, conn *sql.Conn, query string) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}
