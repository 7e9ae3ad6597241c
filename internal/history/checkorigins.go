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

// keepNoise is how many paths are kept of those at which an origin answers something else each
// time.
const keepNoise = 20

// maxMore bounds, in bytes, what is kept beside the columns: origins write some of it.
const maxMore = 4 << 10

// addCheckOrigin adds the row of one origin.
func addCheckOrigin(ctx context.Context, tx *sql.Tx, check int64, o diff.OriginState, row origin, texts numbers) (err error) {
	slowest := []byte{}
	for _, page := range o.Slowest {
		slowest = binary.AppendUvarint(slowest, uint64(texts[page.Path])) //nolint:gosec // the database counts from 1
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
	_, err = tx.ExecContext(ctx, `INSERT INTO check_origin ("check", origin, url, state, release, pages, matched, requests, bytes, elapsed, expires, counts, err, slowest, more)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		check, row.id, texts[o.URL], slices.Index(states(), o.State), texts[string(o.Release)], o.Pages, o.Match, o.Requests, o.Bytes, o.Elapsed, expires,
		string(counts), o.Err, slowest, texts[more(o)])
	return err
}

// more is the JSON of what has no column of its own, "" for nothing. Many checks share it.
func more(o diff.OriginState) string {
	o.Name, o.URL, o.State, o.Release, o.Pages, o.Match, o.Requests, o.Bytes, o.Elapsed = "", "", "", site.None, 0, 0, 0, 0, 0
	o.Counts, o.Err, o.Slowest, o.Facts.Expires = nil, "", nil, time.Time{}
	o.Noise = o.Noise[:min(len(o.Noise), keepNoise)]
	text, err := json.Marshal(o)
	if len(text) > maxMore {
		o.Noise = nil
		text, err = json.Marshal(o)
	}
	if len(text) > maxMore {
		o.Facts.MixedExamples, o.Facts.Names, o.Facts.Plain = nil, nil, nil
		text, err = json.Marshal(o)
	}
	if err != nil || len(text) > maxMore || string(text) == "{}" { // it has no type that JSON has not
		return ""
	}
	return string(text)
}

func readOrigins(ctx context.Context, tx *sql.Tx, texts *lexicon, check int64) ([]diff.OriginState, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name, url, o.state, release, pages, matched, requests, bytes, elapsed, expires, counts, err, slowest, more
		FROM check_origin o JOIN origin ON origin.id = o.origin WHERE "check" = ? ORDER BY o.origin`, check)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []diff.OriginState
	for rows.Next() {
		o, err := scanOrigin(ctx, rows, texts)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

func scanOrigin(ctx context.Context, rows *sql.Rows, texts *lexicon) (o diff.OriginState, err error) {
	var url, state, release, expires, rest int64
	var id, counts, more string
	var slowest sql.RawBytes
	if err := rows.Scan(&o.Name, &url, &state, &release, &o.Pages, &o.Match, &o.Requests, &o.Bytes, &o.Elapsed, &expires, &counts, &o.Err, &slowest, &rest); err != nil {
		return o, err
	}
	if o.Slowest, err = slowestOf(ctx, slowest, texts); err != nil {
		return o, err
	}
	if err := texts.texts(ctx, map[*string]int64{&o.URL: url, &id: release, &more: rest}); err != nil {
		return o, err
	}
	if state < 0 || state >= int64(len(states())) {
		return o, fmt.Errorf("%w: an origin has the state %d", ErrDamaged, state)
	}
	if more != "" {
		if err := json.Unmarshal([]byte(more), &o); err != nil {
			return o, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
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
func slowestOf(ctx context.Context, packed []byte, texts *lexicon) ([]diff.Slow, error) {
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
		path, err := texts.text(ctx, int64(pair[0])) //nolint:gosec // only looked up
		if err != nil {
			return nil, err
		}
		all = append(all, diff.Slow{Path: path, Took: time.Duration(pair[1]) * time.Microsecond}) //nolint:gosec // as it was written
	}
	return all, nil
}
