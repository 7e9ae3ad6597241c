package history

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Sent reports whether what a key names was told.
func (s *Store) Sent(ctx context.Context, key string) (told bool, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT told FROM sent WHERE key = ?", key).Scan(&told)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return told, err
}

// RecordSent remembers an attempt to tell what a key names: it was told if failure is nil.
// What was told stays told.
func (s *Store) RecordSent(ctx context.Context, key string, at time.Time, failure error) error {
	text := ""
	if failure != nil {
		text = bounded(s.clean(failure.Error()), maxError)
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sent (key, at, told, tries, err) VALUES (?, ?, ?, 1, ?)
			ON CONFLICT DO UPDATE SET at = excluded.at, told = max(told, excluded.told), tries = tries + 1, err = excluded.err`,
			key, nanos(at), failure == nil, text)
		return err
	})
}
