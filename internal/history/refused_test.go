package history_test

import (
	"database/sql"
	"testing"

	"mirror/diff"
)

// TestAFailedCheckChangesNothing has the database refuse the last row of a check. Alerts are made of the
// changes, and what was rolled back is found again by the next check.
func TestAFailedCheckChangesNothing(t *testing.T) {
	path := place(t)
	s := open(t, path)
	play(t, s, nil, []diff.Difference{stale("x")})
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON day WHEN NEW.origin = (SELECT id FROM origin WHERE name = '')
		BEGIN SELECT RAISE(ABORT, 'refused'); END`); err != nil {
		t.Fatal(err)
	}
	c, found := checked(2)
	changes, err := s.RecordCheck(t.Context(), c, found)
	if err == nil || len(changes.Opened)+len(changes.Changed)+len(changes.Closed) > 0 {
		t.Errorf("got %+v, %v; want an error and no change", changes, err)
	}
	if _, err := db.Exec("DROP TRIGGER refuse"); err != nil {
		t.Fatal(err)
	}
	c, found = checked(3)
	if changes := record(t, s, c, found); len(changes.Closed) != 1 || !changes.Closed[0].Closed.Equal(minute(3)) {
		t.Errorf("got %+v, want the end of the episode", changes)
	}
}
