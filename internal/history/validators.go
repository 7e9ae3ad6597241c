package history

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/site"
)

// Validator is what an origin said of a page's bytes when they were hashed in full. It lets
// a later request ask whether the page is still the same (RFC 9110, section 13).
type Validator struct {
	Path         string // the site's
	Digest       site.Digest
	ETag         string    // as it was sent, "" for none
	LastModified string    // as it was sent, "" for none
	Verified     time.Time // when the bytes were hashed, to the second
}

// Validators are those of one origin in path order, each path once.
type Validators []Validator

// Find returns the validator for path, if there is one.
func (v Validators) Find(path string) (Validator, bool) {
	i, ok := slices.BinarySearchFunc(v, path, func(v Validator, path string) int { return cmp.Compare(v.Path, path) })
	if !ok {
		return Validator{}, false
	}
	return v[i], true
}

// Validators returns what was saved for the origin at url.
func (s *Store) Validators(ctx context.Context, url string) (Validators, error) {
	var all Validators
	err := s.read(ctx, func(tx *sql.Tx) error {
		return eachValidator(ctx, tx, url, func(v Validator) { all = append(all, v) })
	})
	return all, err
}

// eachValidator calls do for those of an origin, in path order.
func eachValidator(ctx context.Context, tx *sql.Tx, url string, do func(v Validator)) error {
	rows, err := tx.QueryContext(ctx, `SELECT path, digest, etag, last_modified, verified FROM validator
		WHERE endpoint = (SELECT id FROM endpoint WHERE url = ?) ORDER BY path`, url)
	if err != nil {
		return err
	}
	defer rows.Close()
	last := "" // pages that were written together share it
	for rows.Next() {
		var v Validator
		var digest, modified sql.RawBytes
		var verified int64
		if err := rows.Scan(&v.Path, &digest, &v.ETag, &modified, &verified); err != nil {
			return err
		}
		if copy(v.Digest[:], digest) != len(v.Digest) {
			return fmt.Errorf("%w: %q has a digest of %d bytes", ErrDamaged, v.Path, len(digest))
		}
		if string(modified) != last {
			last = string(modified)
		}
		v.LastModified, v.Verified = last, time.Unix(verified, 0).UTC()
		do(v)
	}
	return rows.Err()
}

// SaveValidators makes all the validators of the origin at url: those of paths that are not
// among them are forgotten.
func (s *Store) SaveValidators(ctx context.Context, url string, all Validators) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		id, err := endpointID(ctx, tx, url)
		if err != nil {
			return err
		}
		gone, changed, err := compareValidators(ctx, tx, url, all)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(gone, rowsAtOnce) {
			if err := deleteValidators(ctx, tx, id, chunk); err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(changed, rowsAtOnce) {
			if err := putValidators(ctx, tx, id, chunk); err != nil {
				return err
			}
		}
		return nil
	})
}

func endpointID(ctx context.Context, tx *sql.Tx, url string) (id int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT id FROM endpoint WHERE url = ?", url).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	made, err := tx.ExecContext(ctx, "INSERT INTO endpoint (url) VALUES (?)", url)
	if err != nil {
		return 0, err
	}
	return made.LastInsertId()
}

// compareValidators finds what has to be written so that all is what is stored.
func compareValidators(ctx context.Context, tx *sql.Tx, url string, all Validators) (gone []string, changed Validators, err error) {
	rest := slices.Clone(all)
	slices.SortFunc(rest, func(a, b Validator) int { return cmp.Compare(a.Path, b.Path) })
	err = eachValidator(ctx, tx, url, func(old Validator) {
		for len(rest) > 0 && rest[0].Path < old.Path {
			changed, rest = append(changed, rest[0]), rest[1:]
		}
		if len(rest) == 0 || rest[0].Path != old.Path {
			gone = append(gone, old.Path)
			return
		}
		if v := rest[0]; v.Digest != old.Digest || v.ETag != old.ETag || v.LastModified != old.LastModified || v.Verified.Unix() != old.Verified.Unix() {
			changed = append(changed, v)
		}
		rest = rest[1:]
	})
	return gone, append(changed, rest...), err
}

func deleteValidators(ctx context.Context, tx *sql.Tx, origin int64, paths []string) error {
	args := []any{origin}
	for _, path := range paths {
		args = append(args, path)
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM validator WHERE endpoint = ? AND path IN (?"+strings.Repeat(", ?", len(paths)-1)+")", args...)
	return err
}

func putValidators(ctx context.Context, tx *sql.Tx, origin int64, all Validators) error {
	args := make([]any, 0, 6*len(all))
	for i := range all {
		v := &all[i]
		args = append(args, origin, v.Path, v.Digest[:], v.ETag, v.LastModified, v.Verified.Unix())
	}
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO validator (endpoint, path, digest, etag, last_modified, verified) VALUES (?, ?, ?, ?, ?, ?)"+
		strings.Repeat(", (?, ?, ?, ?, ?, ?)", len(all)-1), args...)
	return err
}
