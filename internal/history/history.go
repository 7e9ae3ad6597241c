// Package history is what mirror remembers of what it did and saw, in one SQLite file beside
// the config: the releases that were live, the lags of the origins, and what they said of
// pages that were verified. All of it can be lost: the targets themselves tell what is live.
//
// Several processes may use the file at once, and one may die at any moment: every change is
// one transaction. A store that is only read makes no file.
package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Name is what the file is called in the state folder.
const Name = "history.db"

// Store is the history of one state folder. It is safe for concurrent use.
type Store struct {
	path     string
	patience time.Duration            // for another process that holds the file
	scrub    func(text string) string // nil for none

	mu mutex   // guards db
	db *sql.DB // nil until there is a file
}

// Open opens the history at path. Where there is no file yet everything in it is empty, and
// the first change makes it. A file that is damaged gives ErrDamaged, as every other method
// may; a caller that only reads can go on without.
func Open(ctx context.Context, path string) (*Store, error) {
	return OpenWithin(ctx, path, Patience)
}

// OpenWithin opens as Open does. No call of the store waits longer than patience for another
// process that holds the file; after that it gives ErrBusy.
func OpenWithin(ctx context.Context, path string, patience time.Duration) (*Store, error) {
	s := &Store{path: path, patience: patience, mu: newMutex()}
	_, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close ends the use of the file.
func (s *Store) Close() error {
	_ = s.mu.lock(context.Background()) // it ends only with the lock
	defer s.mu.unlock()
	if s.db == nil {
		return nil
	}
	err := s.explain(s.db.Close())
	s.db = nil
	return err
}

// reading returns the database, nil where there is none.
func (s *Store) reading(ctx context.Context) (*sql.DB, error) {
	if err := s.mu.lock(ctx); err != nil {
		return nil, s.explain(err)
	}
	defer s.mu.unlock()
	if s.db != nil {
		return s.db, nil
	}
	_, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		tighten(s.path)
		err = s.awaitFree(ctx, func() error {
			s.db, err = connectToRead(ctx, s.path)
			return err
		})
	}
	return s.db, s.explain(err)
}

// writing returns the database, and makes it where there is none.
func (s *Store) writing(ctx context.Context) (*sql.DB, error) {
	if err := s.mu.lock(ctx); err != nil {
		return nil, s.explain(err)
	}
	defer s.mu.unlock()
	if s.db != nil {
		return s.db, nil
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	makePrivate(s.path)
	err := s.awaitFree(ctx, func() (err error) {
		s.db, err = connect(ctx, s.path, readWrite)
		return err
	})
	return s.db, s.explain(err)
}

// change runs do in one transaction that no other writer overlaps.
func (s *Store) change(ctx context.Context, do func(tx *sql.Tx) error) error {
	db, err := s.writing(ctx)
	if err != nil {
		return err
	}
	tx, err := s.begin(ctx, db, nil)
	if err != nil {
		return s.explain(err)
	}
	return s.explain(ended(ctx, finish(tx, do)))
}

// finish runs do in a transaction and ends it.
func finish(tx *sql.Tx, do func(tx *sql.Tx) error) error {
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// read runs do on one unchanging view of the file, and does nothing where there is none.
func (s *Store) read(ctx context.Context, do func(tx *sql.Tx) error) error {
	db, err := s.reading(ctx)
	if db == nil || err != nil {
		return err
	}
	tx, err := s.begin(ctx, db, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.explain(err)
	}
	err = do(tx)
	return s.explain(ended(ctx, errors.Join(err, tx.Rollback()))) // there is nothing to commit
}

// Size is how many bytes the file takes, with what is about to be written to it.
func (s *Store) Size() (int64, error) {
	var all int64
	for _, name := range []string{s.path, s.path + "-wal"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("history: %w", err)
		}
		all += info.Size()
	}
	return all, nil
}
