package history

import (
	"context"
	"database/sql"
	"slices"
	"time"
)

// keepLags is how many lags of an origin are remembered: the median of so many is not moved
// by an outage.
const keepLags = 15

// Lags returns, for each origin, the median of the lags that were learnt of it last: how
// long it took from the start of a commit until all of it was live. Of two in the middle it is
// the smaller: a container's first start takes longer than those that follow.
func (s *Store) Lags(ctx context.Context) (map[string]time.Duration, error) {
	all := map[string][]time.Duration{}
	err := s.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT origin, lag FROM lag")
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
	medians := make(map[string]time.Duration, len(all))
	for name, lags := range all {
		slices.Sort(lags)
		medians[name] = lags[(len(lags)-1)/2]
	}
	return medians, err
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
