package history

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

// Check is one check of the origins, as it is remembered.
type Check struct {
	ID      int64
	Job     string // that ran it; "" for a person
	Started time.Time
	Elapsed time.Duration
	Release site.ID // that the origins were compared with
	Pages   int
	// Partial says that not everything was looked at or counted, as with a sample, with some
	// of the targets, or with tolerance: the check is remembered, and says nothing of
	// episodes and days.
	Partial bool
	Err     string // why there is no verdict; then there are no origins
	Origins []diff.OriginState
	times   map[string]diff.Times // by origin; for the bounds of episodes, and not stored
}

// Checks lists the checks that began at since or later, the newest first; limit bounds how
// many, 0 for all.
func (s *Store) Checks(ctx context.Context, since time.Time, limit int) ([]Check, error) {
	return s.checks(ctx, "WHERE started >= ? ORDER BY started DESC, id DESC LIMIT ?", nanos(since), limited(limit))
}

// ChecksBefore lists the checks that were remembered before the one with the ID before, or
// all for 0, the newest first; limit bounds how many, 0 for all.
func (s *Store) ChecksBefore(ctx context.Context, before int64, limit int) ([]Check, error) {
	return s.checks(ctx, "WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2", before, limited(limit))
}

// LastCheck returns the latest check of everything that came to a verdict, and whether there
// is one.
func (s *Store) LastCheck(ctx context.Context) (Check, bool, error) {
	return first(s.checks(ctx, "WHERE partial = 0 AND err = '' ORDER BY started DESC, id DESC LIMIT 1"))
}

// LastCheckBefore returns the latest check of everything that began before an instant and came
// to a verdict, and whether there is one.
func (s *Store) LastCheckBefore(ctx context.Context, end time.Time) (Check, bool, error) {
	return first(s.checks(ctx, "WHERE partial = 0 AND err = '' AND started < ? ORDER BY started DESC, id DESC LIMIT 1", nanos(end)))
}

// CheckOfRun returns the check that a run of a job made, and whether there is one.
func (s *Store) CheckOfRun(ctx context.Context, r Run) (Check, bool, error) {
	during, err := s.checks(ctx, "WHERE started >= ? AND started <= ? ORDER BY started LIMIT ?", nanos(r.Started), nanos(r.Started.Add(r.Elapsed)), maxDuring)
	return first(slices.DeleteFunc(during, func(c Check) bool { return c.Job != r.Job }), err)
}

// maxDuring is how many checks are looked at that began during a run: people check too.
const maxDuring = 20

// Check returns one check, and whether it is there.
func (s *Store) Check(ctx context.Context, id int64) (Check, bool, error) {
	return first(s.checks(ctx, "WHERE id = ?", id))
}

// checks reads the checks that a condition picks, in its order, with their origins.
func (s *Store) checks(ctx context.Context, where string, args ...any) (all []Check, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		texts := &lexicon{tx: tx}
		if all, err = readChecks(ctx, tx, texts, where, args...); err != nil {
			return err
		}
		for i := range all {
			if all[i].Origins, err = readOrigins(ctx, tx, texts, all[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

func readChecks(ctx context.Context, tx *sql.Tx, texts *lexicon, where string, args ...any) ([]Check, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, job, started, elapsed, release, pages, partial, err FROM "check" `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Check
	for rows.Next() {
		var c Check
		var job, started, release int64
		var id string
		if err := rows.Scan(&c.ID, &job, &started, &c.Elapsed, &release, &c.Pages, &c.Partial, &c.Err); err != nil {
			return nil, err
		}
		if err := texts.texts(ctx, map[*string]int64{&c.Job: job, &id: release}); err != nil {
			return nil, err
		}
		c.Started, c.Release = timeOf(started), site.ID(id)
		all = append(all, c)
	}
	return all, rows.Err()
}

// HasCheck reports whether a check of a job that began then is remembered.
func (s *Store) HasCheck(ctx context.Context, job string, started time.Time) (bool, error) {
	all, err := s.checks(ctx, "WHERE started = ? LIMIT ?", nanos(started), maxDuring)
	return slices.ContainsFunc(all, func(c Check) bool { return c.Job == job }), err
}
