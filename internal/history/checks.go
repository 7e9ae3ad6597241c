package history

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

// maxError bounds, in bytes, what is kept of an error, which an origin may have written.
const maxError = 1000

// CheckOf makes what is remembered of a verdict. The differences go with it to RecordCheck.
func CheckOf(v diff.Verdict) (Check, []diff.Difference) {
	c := Check{Started: v.Started, Elapsed: v.Elapsed, Release: v.Release, Pages: v.Pages, Partial: v.Sampled > 0}
	var all []diff.Difference
	for _, o := range v.Origins {
		for _, d := range o.Differences {
			d.Origin = o.Name
			all = append(all, d)
		}
		c.Origins = append(c.Origins, o.Summary())
	}
	return c, all
}

// RecordCheck remembers a check, and what it says of the episodes, all or nothing. The
// differences are those of all its origins. Those that are tolerated open no episode; what
// they could not judge does not end one either.
//
// An episode ends only where the origin was seen without it: neither a check that came to no
// verdict nor an origin that could not be seen ends one, and pages that could not be judged
// keep those that they are, or may be, part of.
func (s *Store) RecordCheck(ctx context.Context, c Check, differences []diff.Difference) (changes Changes, err error) {
	c, differences = s.cleanCheck(c).bounded(), s.cleanDifferences(differences)
	err = s.change(ctx, func(tx *sql.Tx) error {
		changes = Changes{}
		words, err := number(ctx, tx, c.texts(), dayOf(c.Started))
		if err != nil {
			return err
		}
		id, err := insert(ctx, tx, "INSERT INTO verdict (job, started, elapsed, release, pages, partial, err) VALUES (?, ?, ?, ?, ?, ?, ?)",
			words[c.Job], nanos(c.Started), c.Elapsed, words[string(c.Release)], c.Pages, c.Partial, c.Err)
		if err != nil {
			return err
		}
		for _, o := range c.Origins {
			if err := addOrigin(ctx, tx, id, c, o, words, differences, &changes); err != nil {
				return err
			}
		}
		return sumUpAll(ctx, tx, c)
	})
	return changes, err
}

// bounded is the check with what origins wrote cut to what is kept, and no origins where there
// is no verdict.
func (c Check) bounded() Check {
	c.Err = bounded(c.Err, maxError)
	if c.Err != "" {
		c.Origins = nil
	}
	c.Origins = slices.Clone(c.Origins)
	for i := range c.Origins {
		o := &c.Origins[i]
		o.URL, o.Err, o.Release = bounded(o.URL, maxError), bounded(o.Err, maxError), site.ID(bounded(string(o.Release), maxError))
	}
	return c
}

// texts lists the check's texts that are stored once.
func (c Check) texts() []string {
	all := []string{c.Job, string(c.Release)}
	for _, o := range c.Origins {
		all = append(all, o.URL, string(o.Release))
		for _, page := range o.Slowest {
			all = append(all, page.Path)
		}
	}
	return all
}

// addOrigin adds what a check saw of one origin, to the rows of the check, to the days and to
// the episodes.
func addOrigin(ctx context.Context, tx *sql.Tx, check int64, c Check, o diff.OriginState, words numbers, all []diff.Difference, changes *Changes) error {
	p, err := placeOf(ctx, tx, o.Name)
	if err != nil {
		return err
	}
	if err := addSeen(ctx, tx, check, o, p, words); err != nil || c.Partial {
		return err
	}
	if err := sumUp(ctx, tx, c, o, p); err != nil {
		return err
	}
	if err := addSlow(ctx, tx, c, o, p, words); err != nil {
		return err
	}
	v := viewOf(c, o, all)
	if err := turnEpisodes(ctx, tx, v, p, changes); err != nil {
		return err
	}
	return p.note(ctx, tx, c.Started, o.State, v.whole())
}

// addSeen adds the row of one origin.
func addSeen(ctx context.Context, tx *sql.Tx, check int64, o diff.OriginState, p place, words numbers) (err error) {
	slowest := []byte{}
	for _, page := range o.Slowest {
		slowest = binary.AppendUvarint(slowest, uint64(words[page.Path])) //nolint:gosec // the database counts from 1
		slowest = binary.AppendUvarint(slowest, uint64(max(0, page.Took.Microseconds())))
	}
	var counts []byte
	if len(o.Counts) > 0 {
		if counts, err = json.Marshal(o.Counts); err != nil {
			return err
		}
	}
	var expires int64
	if !o.Facts.Expires.IsZero() {
		expires = o.Facts.Expires.Unix()
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO seen (verdict, place, url, state, release, pages, matched, requests, bytes, elapsed, expires, counts, err, slowest)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		check, p.id, words[o.URL], slices.Index(states(), o.State), words[string(o.Release)], o.Pages, o.Match, o.Requests, o.Bytes, o.Elapsed, expires,
		string(counts), o.Err, slowest)
	return err
}

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

// noLimit is for a limit of 0.
const noLimit = -1

func limited(n int) int {
	if n <= 0 {
		return noLimit
	}
	return n
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

// Check returns one check, and whether it is there.
func (s *Store) Check(ctx context.Context, id int64) (Check, bool, error) {
	return first(s.checks(ctx, "WHERE id = ?", id))
}

// first is the first of those that were found, and whether there is one.
func first[T any](all []T, err error) (found T, ok bool, _ error) {
	if err == nil && len(all) > 0 {
		found, ok = all[0], true
	}
	return found, ok, err
}

// checks reads the checks that a condition picks, in its order, with their origins.
func (s *Store) checks(ctx context.Context, where string, args ...any) (all []Check, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		words := &lexicon{tx: tx}
		if all, err = readChecks(ctx, tx, words, where, args...); err != nil {
			return err
		}
		for i := range all {
			if all[i].Origins, err = readSeen(ctx, tx, words, all[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

func readChecks(ctx context.Context, tx *sql.Tx, words *lexicon, where string, args ...any) ([]Check, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, job, started, elapsed, release, pages, partial, err FROM verdict "+where, args...)
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
		if err := words.texts(ctx, map[*string]int64{&c.Job: job, &id: release}); err != nil {
			return nil, err
		}
		c.Started, c.Release = timeOf(started), site.ID(id)
		all = append(all, c)
	}
	return all, rows.Err()
}

func readSeen(ctx context.Context, tx *sql.Tx, words *lexicon, check int64) ([]diff.OriginState, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name, url, seen.state, release, pages, matched, requests, bytes, elapsed, expires, counts, err, slowest
		FROM seen JOIN place ON place.id = seen.place WHERE verdict = ? ORDER BY seen.place`, check)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []diff.OriginState
	for rows.Next() {
		o, err := scanSeen(ctx, rows, words)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

func scanSeen(ctx context.Context, rows *sql.Rows, words *lexicon) (o diff.OriginState, err error) {
	var url, state, release, expires int64
	var id, counts string
	var slowest sql.RawBytes
	if err := rows.Scan(&o.Name, &url, &state, &release, &o.Pages, &o.Match, &o.Requests, &o.Bytes, &o.Elapsed, &expires, &counts, &o.Err, &slowest); err != nil {
		return o, err
	}
	if o.Slowest, err = slowestOf(ctx, slowest, words); err != nil {
		return o, err
	}
	if err := words.texts(ctx, map[*string]int64{&o.URL: url, &id: release}); err != nil {
		return o, err
	}
	if state < 0 || state >= int64(len(states())) {
		return o, fmt.Errorf("%w: an origin has the state %d", ErrDamaged, state)
	}
	o.State, o.Release, o.Counts = states()[state], site.ID(id), map[diff.Kind]int{}
	if expires != 0 {
		o.Facts.Expires = time.Unix(expires, 0).UTC()
	}
	if counts != "" {
		if err := json.Unmarshal([]byte(counts), &o.Counts); err != nil {
			return o, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return o, nil
}

// slowestOf reads pairs of a word and microseconds.
func slowestOf(ctx context.Context, packed []byte, words *lexicon) ([]diff.Slow, error) {
	var numbers []uint64
	for len(packed) > 0 {
		n, size := binary.Uvarint(packed)
		if size <= 0 {
			return nil, fmt.Errorf("%w: no list of slow pages", ErrDamaged)
		}
		numbers, packed = append(numbers, n), packed[size:]
	}
	var all []diff.Slow
	for pair := range slices.Chunk(numbers, 2) {
		if len(pair) < 2 {
			return nil, fmt.Errorf("%w: no list of slow pages", ErrDamaged)
		}
		path, err := words.text(ctx, int64(pair[0])) //nolint:gosec // only looked up
		if err != nil {
			return nil, err
		}
		all = append(all, diff.Slow{Path: path, Took: time.Duration(pair[1]) * time.Microsecond}) //nolint:gosec // as it was written
	}
	return all, nil
}
