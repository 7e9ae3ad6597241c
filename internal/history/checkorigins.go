package history

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

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
