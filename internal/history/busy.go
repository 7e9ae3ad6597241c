package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"mirror/internal/wait"
)

// ErrBusy is the answer when another process held the file for as long as it was waited for.
var ErrBusy = errors.New("another process is writing")

// Patience is how long a store of Open waits for another process to give the file free, also
// where the context has no deadline.
const Patience = 10 * time.Second

// leavingPatience is how long it is waited by what outlives an interrupt (wait.Outlive).
const leavingPatience = 200 * time.Millisecond

// turnPause is the pause between two attempts to get the lock. SQLite itself waits for
// busyTimeout at each, which it does without looking at the context.
const (
	turnPause   = 10 * time.Millisecond
	busyTimeout = "200" // milliseconds
)

// awaitFree calls try until another process no longer keeps it out, the store's patience is
// over or ctx ends. try changes nothing where it fails.
func (s *Store) awaitFree(ctx context.Context, try func() error) error {
	patient, done := context.WithTimeout(ctx, s.patience)
	defer done()
	patient, calm := wait.Hurried(patient, leavingPatience)
	defer calm()
	for {
		err := try()
		if !isBusy(err) {
			return ended(ctx, err)
		}
		if wait.Sleep(patient, turnPause) != nil {
			return ended(ctx, err)
		}
	}
}

// ended adds that ctx has ended to an error that does not say so: SQLite calls it an interrupt,
// and database/sql a transaction that is over.
func ended(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// begin starts a transaction that holds its lock: one that changes things keeps other writers
// out, and one that reads sees the file as it is now until its end.
func (s *Store) begin(ctx context.Context, db *sql.DB, o *sql.TxOptions) (tx *sql.Tx, err error) {
	err = s.awaitFree(ctx, func() error {
		if tx, err = db.BeginTx(ctx, o); err != nil {
			return err
		}
		var tables int // the lock is taken by the first statement
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables)
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
		return err
	})
	return tx, err
}

// mutex is a mutex that is waited for no longer than a context lasts.
type mutex chan struct{}

func newMutex() mutex { return make(mutex, 1) }

func (m mutex) lock(ctx context.Context) error {
	select {
	case m <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m mutex) unlock() { <-m }
