package history

import (
	"context"
	"database/sql"
	"time"

	"mirror/diff"
)

// keepSlow is how many of an origin's slowest pages are remembered of a day.
const keepSlow = 10

// addSlow remembers the slowest pages of the day. A page that is dropped was quicker than all
// that stay, so that the slowest of any number of days are found among what stays.
func addSlow(ctx context.Context, tx *sql.Tx, at time.Time, o diff.OriginState, row origin, words numbers) error {
	day := dayOf(at)
	known, least, err := slowOf(ctx, tx, day, row)
	if err != nil {
		return err
	}
	added := 0
	for _, page := range o.Slowest {
		id, took := words[page.Path], page.Took.Microseconds()
		if !known[id] && len(known) >= keepSlow && took <= least {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO slow (day, origin, page, took, at, times) VALUES (?, ?, ?, ?, ?, 1)
			ON CONFLICT DO UPDATE SET times = times + 1, at = iif(excluded.took > took, excluded.at, at), took = max(took, excluded.took)`,
			day, row.id, id, took, nanos(at)); err != nil {
			return err
		}
		added += one(!known[id])
	}
	if len(known)+added <= keepSlow {
		return nil
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM slow WHERE day = ?1 AND origin = ?2 AND page NOT IN
		(SELECT page FROM slow WHERE day = ?1 AND origin = ?2 ORDER BY took DESC, page LIMIT ?3)`, day, row.id, keepSlow)
	return err
}

// slowOf tells which pages are remembered of a day, and how long the quickest of them took.
func slowOf(ctx context.Context, tx *sql.Tx, day int64, row origin) (known map[int64]bool, least int64, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT page, took FROM slow WHERE day = ? AND origin = ?", day, row.id)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	known = map[int64]bool{}
	for rows.Next() {
		var page, took int64
		if err := rows.Scan(&page, &took); err != nil {
			return nil, 0, err
		}
		if len(known) == 0 || took < least {
			least = took
		}
		known[page] = true
	}
	return known, least, rows.Err()
}

// SlowPage is how slow one page of an origin was at its slowest.
type SlowPage struct {
	Origin, Path string
	Took         time.Duration
	At           time.Time // of the check
	Times        int       // how many checks had it among their slowest, at least
}

// Slowest lists the pages that took longest in a period, each once for an origin, the slowest
// first. The period counts by days.
func (s *Store) Slowest(ctx context.Context, since, until time.Time, limit int) (all []SlowPage, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT origin.name, text.text, max(took) AS longest, slow.at, sum(times) FROM slow
			JOIN origin ON origin.id = slow.origin JOIN text ON text.id = page
			WHERE day BETWEEN ? AND ? GROUP BY slow.origin, page ORDER BY longest DESC, origin.name, text.text LIMIT ?`, dayOf(since), dayOf(until), limited(limit))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p SlowPage
			var took, at int64
			if err := rows.Scan(&p.Origin, &p.Path, &took, &at, &p.Times); err != nil {
				return err
			}
			p.Took, p.At = time.Duration(took)*time.Microsecond, timeOf(at)
			all = append(all, p)
		}
		return rows.Err()
	})
	return all, err
}
