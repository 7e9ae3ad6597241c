package history

import (
	"context"
	"database/sql"
	"errors"
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

// word returns the number of a text, and makes one where there is none; 0 stands for "". It
// notes that the text was used on a day.
func word(ctx context.Context, tx *sql.Tx, text string, day int64) (id int64, err error) {
	if text == "" {
		return 0, nil
	}
	var used int64
	err = tx.QueryRowContext(ctx, "SELECT id, used FROM word WHERE text = ?", text).Scan(&id, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return insert(ctx, tx, "INSERT INTO word (text, used) VALUES (?, ?)", text, day)
	}
	if err == nil && used < day {
		_, err = tx.ExecContext(ctx, "UPDATE word SET used = ? WHERE id = ?", day, id)
	}
	return id, err
}

// insert adds a row and returns its number.
func insert(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	made, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return made.LastInsertId()
}

// lexicon looks words up by number, each once.
type lexicon struct {
	tx    *sql.Tx
	known map[int64]string
}

func (l *lexicon) text(ctx context.Context, id int64) (string, error) {
	if id == 0 {
		return "", nil
	}
	text, ok := l.known[id]
	if ok {
		return text, nil
	}
	err := l.tx.QueryRowContext(ctx, "SELECT text FROM word WHERE id = ?", id).Scan(&text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // one that was forgotten is ""
		return "", err
	}
	if l.known == nil {
		l.known = map[int64]string{}
	}
	l.known[id] = text
	return text, nil
}

// texts looks up several words, into places for them.
func (l *lexicon) texts(ctx context.Context, wanted map[*string]int64) (err error) {
	for place, id := range wanted {
		if *place, err = l.text(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// bounded keeps the first n bytes of a text that somebody else wrote. What is no text of
// UTF-8, and NUL, at which some tools end a text, are replaced.
func bounded(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
