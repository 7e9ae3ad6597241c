package history

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// dayOf is the day (UTC) of an instant, counted from 1970.
func dayOf(t time.Time) int64 {
	days := t.Unix() / secondsADay
	if t.Unix()%secondsADay < 0 {
		days--
	}
	return days
}

// midnight is the beginning of a day.
func midnight(day int64) time.Time { return time.Unix(day*secondsADay, 0).UTC() }

const secondsADay = 24 * 60 * 60

// insert adds a row and returns its number.
func insert(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	made, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return made.LastInsertId()
}

// bounded keeps the first n bytes of a text from outside. What is no text of
// UTF-8, and NUL, at which some tools end a text, are replaced.
func bounded(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// noLimit is for a limit of 0.
const noLimit = -1

func limited(n int) int {
	if n <= 0 {
		return noLimit
	}
	return n
}

// first is the first of those that were found, and whether there is one.
func first[T any](all []T, err error) (found T, ok bool, _ error) {
	if err == nil && len(all) > 0 {
		found, ok = all[0], true
	}
	return found, ok, err
}

// nanos is a time as it is stored, 0 for the zero time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}

// rowsAtOnce is how many rows one statement takes: each statement costs more than a row.
const rowsAtOnce = 100

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// maxError bounds, in bytes, what is kept of an error, which an origin may have written.
const maxError = 1000
