package history

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// How a file is opened.
const (
	readWrite = "mode=rwc&_pragma=journal_mode(WAL)"
	readOnly  = "mode=ro"
	// frozen is for a file in a folder where nothing can be written, not even the lock:
	// no other process can be writing it either.
	frozen = "mode=ro&immutable=1"
)

// connections bounds how many readers one process has.
const connections = 4

// connect opens the file and brings it up to date.
func connect(ctx context.Context, path, mode string) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", fileURI(filepath.ToSlash(full))+"?"+mode+
		"&_txlock=immediate&_pragma=busy_timeout("+busyTimeout+")&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// fileURI returns the URI for SQLite of an absolute path with slashes. One with the letter of a drive, as
// on Windows, gets a slash in front: else SQLite takes the letter for a host (https://sqlite.org/uri.html).
func fileURI(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// connectToRead opens a file that is there, also where it cannot be written.
func connectToRead(ctx context.Context, path string) (*sql.DB, error) {
	db, err := connect(ctx, path, readWrite)
	if !isUnwritable(err) {
		return db, err
	}
	db, roErr := connect(ctx, path, readOnly)
	if !isUnwritable(roErr) {
		return db, roErr
	}
	if info, statErr := os.Stat(path + "-wal"); statErr == nil && info.Size() > 0 {
		return nil, err // the last changes are in there, and cannot be read without a lock
	}
	return connect(ctx, path, frozen)
}

// migrations holds one numbered file for each step that the schema ever took. A step that
// was released is never changed; a new one gets the next number.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate takes the steps that the file has not taken. PRAGMA user_version counts them.
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	if at, err := version(ctx, db); err != nil || at == len(steps) {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return finish(tx, func(tx *sql.Tx) error {
		at, err := version(ctx, tx) // another process may have been quicker
		if err != nil {
			return err
		}
		if at > len(steps) {
			return fmt.Errorf("it was written by a newer mirror, with schema %d; this one knows %d (hint: upgrade this mirror)", at, len(steps))
		}
		for _, step := range steps[at:] {
			text, err := migrations.ReadFile("migrations/" + step.Name())
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("%s: %w", strings.TrimSuffix(step.Name(), ".sql"), err)
			}
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps)))
		return err
	})
}

func version(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (n int, err error) {
	err = q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n)
	return n, err
}
