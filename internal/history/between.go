package history

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"mirror/diff"
)

// Days sums up each origin's days from the one that since is in, the oldest first.
func (s *Store) Days(ctx context.Context, since time.Time) (all []Day, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		all, err = readDays(ctx, tx, dayOf(since), lastDay)
		return err
	})
	return slices.DeleteFunc(all, func(d Day) bool { return d.Origin == All }), err
}

// lastDay is later than all.
const lastDay = 1 << 40

// Between sums up a period by days, the oldest first, each origin's and those of All. The
// first and the last day count as far as they are in the period: for these, and only for
// these, single checks are read. Where the checks of the first day are forgotten already, all
// of that day counts.
func (s *Store) Between(ctx context.Context, since, until time.Time) (all []Day, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		oldest, newest, err := extent(ctx, tx)
		if err != nil || !since.Before(until) {
			return err
		}
		from, to := dayOf(since), dayOf(until) // whole days are from, up to but not including to
		if since.After(midnight(from)) && !oldest.IsZero() && !oldest.After(since) {
			from++
			if all, err = readPart(ctx, tx, since, earlier(until, midnight(from))); err != nil {
				return err
			}
		}
		if newest.Before(until) {
			to++
		}
		whole, err := readDays(ctx, tx, from, to)
		if err != nil {
			return err
		}
		all = append(all, whole...)
		if to < from || !until.After(midnight(to)) || newest.Before(until) {
			return nil
		}
		part, err := readPart(ctx, tx, midnight(to), until)
		all = append(all, part...)
		return err
	})
	return all, err
}

// extent tells when the oldest and the newest check that are remembered began.
func extent(ctx context.Context, tx *sql.Tx) (oldest, newest time.Time, err error) {
	var first, last int64
	err = tx.QueryRowContext(ctx, `SELECT coalesce((SELECT min(started) FROM "check"), 0), coalesce((SELECT max(started) FROM "check"), 0)`).Scan(&first, &last)
	return timeOf(first), timeOf(last), err
}

// readDays reads whole days, from one up to but not including another.
func readDays(ctx context.Context, tx *sql.Tx, from, to int64) ([]Day, error) {
	rows, err := tx.QueryContext(ctx, `SELECT day, name, checks, agreed, drifted, unseen, failed, pages, matched, elapsed, agreed_for, drifted_for, unseen_for
		FROM day JOIN origin ON origin.id = day.origin WHERE day >= ? AND day < ? ORDER BY day, origin.id`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Day
	for rows.Next() {
		var d Day
		var day int64
		if err := rows.Scan(&day, &d.Origin, &d.Checks, &d.Agreed, &d.Drifted, &d.Unreachable, &d.Failed, &d.Pages, &d.Matched, &d.Elapsed,
			&d.AgreedFor, &d.DriftedFor, &d.UnreachableFor); err != nil {
			return nil, err
		}
		d.Date = midnight(day)
		all = append(all, d)
	}
	return all, rows.Err()
}

// readPart sums up a part of one day from its checks.
func readPart(ctx context.Context, tx *sql.Tx, from, to time.Time) ([]Day, error) {
	first, last, err := around(ctx, tx, from.Add(-MaxGap), to.Add(MaxGap))
	if err != nil {
		return nil, err
	}
	checks, err := readStates(ctx, tx, first, last)
	if err != nil {
		return nil, err
	}
	sums, before := map[string]*Day{}, map[string]stateRow{}
	var names []string
	for _, c := range checks {
		if sums[c.Name] == nil {
			sums[c.Name] = &Day{Date: midnight(dayOf(from)), Origin: c.Name}
			names = append(names, c.Name)
		}
		day, last := sums[c.Name], before[c.Name]
		if inside := !c.at.Before(from) && c.at.Before(to); inside && c.failed {
			day.Failed++
		} else if inside {
			day.add(c.OriginState)
		}
		if c.failed {
			continue
		}
		for _, s := range between(last.at, last.State, c.at, c.State) {
			day.spend(s.state, max(0, earlier(s.to, to).Sub(later(s.from, from))))
		}
		before[c.Name] = c
	}
	var all []Day
	for _, name := range names {
		all = append(all, *sums[name])
	}
	return all, nil
}

// around widens a time to the nearest checks before and after it: they say how the gaps at its
// ends count.
func around(ctx context.Context, tx *sql.Tx, from, to time.Time) (first, last time.Time, err error) {
	var before, after sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT (SELECT max(started) FROM "check" WHERE started < ? AND partial = 0 AND err = ''),
		(SELECT min(started) FROM "check" WHERE started >= ? AND partial = 0 AND err = '')`, nanos(from), nanos(to)).Scan(&before, &after)
	if before.Valid {
		from = timeOf(before.Int64)
	}
	if after.Valid {
		to = timeOf(after.Int64 + 1)
	}
	return from, to, err
}

// stateRow is what a check saw of an origin, as far as it is summed up.
type stateRow struct {
	diff.OriginState
	at     time.Time
	failed bool // to come to a verdict
}

// readStates reads what checks of everything saw, in the order of time, of each origin and of
// all together.
func readStates(ctx context.Context, tx *sql.Tx, from, to time.Time) ([]stateRow, error) {
	rows, err := tx.QueryContext(ctx, `SELECT c.id, started, c.err <> '', c.elapsed, coalesce(origin, 0), coalesce(o.state, 0),
		coalesce(o.pages, 0), coalesce(matched, 0), coalesce(o.elapsed, 0)
		FROM "check" c LEFT JOIN check_origin o ON o."check" = c.id WHERE started >= ? AND started < ? AND partial = 0 ORDER BY started, c.id, origin`,
		nanos(from), nanos(to))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := originNames(ctx, tx)
	if err != nil {
		return nil, err
	}
	var each, together []stateRow
	last := int64(0)
	for rows.Next() {
		var id, started, origin, state int64
		var s stateRow
		var elapsed time.Duration
		if err := rows.Scan(&id, &started, &s.failed, &elapsed, &origin, &state, &s.Pages, &s.Match, &s.Elapsed); err != nil {
			return nil, err
		}
		s.at, s.State = timeOf(started), states()[state]
		s.failed = s.failed || origin == 0
		if id != last {
			together = append(together, stateRow{diff.OriginState{Name: All, State: s.State, Elapsed: elapsed}, s.at, s.failed})
			last = id
		}
		all := &together[len(together)-1]
		all.State, all.Pages, all.Match = diff.Worst(all.State, s.State), all.Pages+s.Pages, all.Match+s.Match
		if origin != 0 {
			s.Name = names[origin]
			each = append(each, s)
		}
	}
	return append(each, together...), rows.Err()
}
