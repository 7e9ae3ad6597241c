package history

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// ErrDamaged is the answer when the file is no database, or a broken one.
var ErrDamaged = errors.New("the history is damaged")

// explain says which file an error is about, and what can be done.
func (s *Store) explain(err error) error {
	switch primary(err) {
	case 0:
		if err == nil {
			return nil
		}
		return fmt.Errorf("history %s: %w", s.path, err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: %s: %w (hint: move the file away; the targets tell what is live, only what was before is lost)",
			ErrDamaged, s.path, err)
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return fmt.Errorf("history %s cannot be written: %w (hint: may this user write the file and its folder? --state names another)", s.path, err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("history %s: %w: %w (hint: try again)", s.path, ErrBusy, err)
	case lib.SQLITE_FULL:
		return fmt.Errorf("history %s: the disk is full: %w", s.path, err)
	}
	return fmt.Errorf("history %s: %w", s.path, err)
}

// primary is SQLite's code for an error without its details, 0 for an error of another kind.
func primary(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// isBusy reports whether another process kept a call out.
func isBusy(err error) bool {
	code := primary(err)
	return code == lib.SQLITE_BUSY || code == lib.SQLITE_LOCKED
}

func isUnwritable(err error) bool {
	switch primary(err) {
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return true
	}
	return false
}
