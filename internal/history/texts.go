package history

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
)

// numbers are the numbers of texts; that of "" is 0.
type numbers map[string]int64

// number finds the numbers of texts, and makes those that there are not yet. It notes that all
// were used on a day.
func number(ctx context.Context, tx *sql.Tx, texts []string, day int64) (numbers, error) {
	all := numbers{"": 0}
	for chunk := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(texts))), rowsAtOnce) {
		if err := lookUp(ctx, tx, chunk, day, all); err != nil {
			return nil, err
		}
	}
	for _, text := range texts {
		if _, known := all[text]; known {
			continue
		}
		id, err := insert(ctx, tx, "INSERT INTO text (text, used) VALUES (?, ?)", text, day)
		if err != nil {
			return nil, err
		}
		all[text] = id
	}
	return all, nil
}

// lookUp adds the numbers of those texts that have one.
func lookUp(ctx context.Context, tx *sql.Tx, texts []string, day int64, all numbers) error {
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = text
	}
	rows, err := tx.QueryContext(ctx, "SELECT id, text, used FROM text WHERE text IN (?"+strings.Repeat(", ?", len(texts)-1)+")", args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var old []int64
	for rows.Next() {
		var id, used int64
		var text string
		if err := rows.Scan(&id, &text, &used); err != nil {
			return err
		}
		if all[text] = id; used < day {
			old = append(old, id)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, id := range old {
		if _, err := tx.ExecContext(ctx, "UPDATE text SET used = ? WHERE id = ?", day, id); err != nil {
			return err
		}
	}
	return nil
}

// lexicon looks texts up by number, each once.
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
	err := l.tx.QueryRowContext(ctx, "SELECT text FROM text WHERE id = ?", id).Scan(&text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // one that was forgotten is ""
		return "", err
	}
	if l.known == nil {
		l.known = map[int64]string{}
	}
	l.known[id] = text
	return text, nil
}

// texts looks up several texts, into variables for them.
func (l *lexicon) texts(ctx context.Context, wanted map[*string]int64) (err error) {
	for to, id := range wanted {
		if *to, err = l.text(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
