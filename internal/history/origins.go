package history

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"mirror/diff"
)

// states lists the states of an origin, each at the number that stands for it.
func states() []diff.State { return []diff.State{diff.Agrees, diff.Drifts, diff.CannotBeSeen} }

// place is an origin, and how it was last seen.
type place struct {
	id    int64
	at    time.Time // of the latest check of everything, zero for none
	state int64
	whole time.Time // of the latest to which every page was answered
}

func placeOf(ctx context.Context, tx *sql.Tx, name string) (p place, err error) {
	var at, whole int64
	err = tx.QueryRowContext(ctx, "SELECT id, at, state, whole FROM place WHERE name = ?", name).Scan(&p.id, &at, &p.state, &whole)
	if errors.Is(err, sql.ErrNoRows) {
		p.id, err = insert(ctx, tx, "INSERT INTO place (name, at, state, whole) VALUES (?, 0, 0, 0)", name)
	}
	p.at, p.whole = timeOf(at), timeOf(whole)
	return p, err
}

// note remembers how the origin was seen last.
func (p place) note(ctx context.Context, tx *sql.Tx, at time.Time, state diff.State, whole bool) error {
	if whole {
		p.whole = at
	}
	_, err := tx.ExecContext(ctx, "UPDATE place SET at = ?, state = ?, whole = ? WHERE id = ?",
		nanos(at), slices.Index(states(), state), nanos(p.whole), p.id)
	return err
}

func placeNames(ctx context.Context, tx *sql.Tx) (map[int64]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, name FROM place")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := map[int64]string{}
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, err
		}
		names[id] = name
	}
	return names, rows.Err()
}
