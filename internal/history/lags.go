package history

import (
	"context"
	"database/sql"
	"time"
)

// keepLags is how many lags of an origin are remembered.
const keepLags = 15

// Lags returns, for each origin, the lags that were learnt of it, the latest first: how long it took
// from the start of a commit until all of it was live.
func (s *Store) Lags(ctx context.Context) (map[string][]time.Duration, error) {
	all := map[string][]time.Duration{}
	err := s.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT origin, lag FROM lag ORDER BY seq DESC")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var lag time.Duration
			if err := rows.Scan(&name, &lag); err != nil {
				return err
			}
			all[name] = append(all[name], lag)
		}
		return rows.Err()
	})
	return all, err
}

// LearnLags adds what a publish saw, by origin.
func (s *Store) LearnLags(ctx context.Context, seen map[string]time.Duration) error {
	if len(seen) == 0 {
		return nil
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		for name, lag := range seen {
			if _, err := tx.ExecContext(ctx, "INSERT INTO lag (origin, lag) VALUES (?, ?)", name, lag); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM lag WHERE origin = ?1 AND seq <=
				(SELECT seq FROM lag WHERE origin = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)`, name, keepLags); err != nil {
				return err
			}
		}
		return nil
	})
}
