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

// origin is a row of the table of origins: one by its name, and how it was last seen.
type origin struct {
	id    int64
	at    time.Time // of the latest check of everything, zero for none
	state int64
	whole time.Time  // of the latest to which every page was answered
	looks diff.Looks // see judged; none where only whole tells
}

func originOf(ctx context.Context, tx *sql.Tx, name string) (o origin, err error) {
	var at, whole int64
	var looks []byte
	err = tx.QueryRowContext(ctx, "SELECT id, at, state, whole, looks FROM origin WHERE name = ?", name).Scan(&o.id, &at, &o.state, &whole, &looks)
	if errors.Is(err, sql.ErrNoRows) {
		o.id, err = insert(ctx, tx, "INSERT INTO origin (name, at, state, whole) VALUES (?, 0, 0, 0)", name)
	}
	if err != nil {
		return o, err
	}
	o.at, o.whole = timeOf(at), timeOf(whole)
	if o.looks, err = unpackLooks(looks); err == nil && len(o.looks) == 0 {
		o.looks = looksAt(o.whole, o.whole)
	}
	return o, err
}

// look remembers when the pages were judged last.
func (o origin) look(ctx context.Context, tx *sql.Tx, looks diff.Looks) error {
	_, err := tx.ExecContext(ctx, "UPDATE origin SET looks = ? WHERE id = ?", packLooks(looks), o.id)
	return err
}

// note remembers how the origin was seen last.
func (o origin) note(ctx context.Context, tx *sql.Tx, at time.Time, state diff.State, whole bool) error {
	if whole {
		o.whole = at
	}
	_, err := tx.ExecContext(ctx, "UPDATE origin SET at = ?, state = ?, whole = ? WHERE id = ?",
		nanos(at), slices.Index(states(), state), nanos(o.whole), o.id)
	return err
}

func originNames(ctx context.Context, tx *sql.Tx) (map[int64]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, name FROM origin")
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
