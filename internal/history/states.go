package history

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// State returns what SaveState kept last under a name, and when; nil for nothing.
func (s *Store) State(ctx context.Context, name string) (text []byte, at time.Time, err error) {
	var nanoseconds int64
	err = s.read(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT at, text FROM state WHERE name = ?", name).Scan(&nanoseconds, &text)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return text, timeOf(nanoseconds), err
}

// SaveState keeps what one process leaves to the next, in place of what was kept under this name. The
// caller has taken secrets out of it.
func (s *Store) SaveState(ctx context.Context, name string, at time.Time, text []byte) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO state (name, at, text) VALUES (?, ?, ?)", name, nanos(at), text)
		return err
	})
}
