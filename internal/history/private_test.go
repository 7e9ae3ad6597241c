package history_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

func modes(t *testing.T, dir string) map[string]os.FileMode {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]os.FileMode{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = info.Mode().Perm()
	}
	return all
}

// TestNobodyElseReadsTheHistory looks at a new file, and at one that an earlier version made.
func TestNobodyElseReadsTheHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), history.Name)
	for _, old := range []bool{false, true} {
		if old {
			for name := range modes(t, filepath.Dir(path)) {
				if err := os.Chmod(filepath.Join(filepath.Dir(path), name), 0o664); err != nil {
					t.Fatal(err)
				}
			}
		}
		s, err := history.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.RecordPublish(t.Context(), history.Publish{Started: time.Now(), Outcome: "live"}); err != nil {
			t.Fatal(err)
		}
		seen := modes(t, filepath.Dir(path))
		for name, mode := range seen {
			if mode != 0o600 {
				t.Errorf("old %v: %s has mode %v", old, name, mode)
			}
		}
		if len(seen) != 3 {
			t.Errorf("got %v, want the file, its log and its index", seen)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoSecretIsStored has every text that somebody else wrote hold one, and reads the bytes.
func TestNoSecretIsStored(t *testing.T) {
	const secret = "the-secret-of-the-webhook"
	path := filepath.Join(t.TempDir(), history.Name)
	s, err := history.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s.ScrubWith(func(text string) string { return strings.ReplaceAll(text, secret, "***") })
	now := time.Now()
	said := "Cannot POST /" + secret
	difference := diff.Difference{Origin: "a", Path: said, URL: said, Kind: diff.Stale, Location: said, Detail: said, Excerpt: said}
	row := history.Check{Started: now, Origins: []diff.OriginState{{Name: "a", URL: said, State: diff.Drifts, Err: said, Release: "r" + secret,
		Slowest: []diff.Slow{{Path: said, Took: time.Second}}, Counts: map[diff.Kind]int{diff.Stale: 1}}}}
	given := []diff.Difference{difference}
	changes, err := s.RecordCheck(t.Context(), row, given)
	if err != nil || len(changes.Opened) != 1 || strings.Contains(changes.Opened[0].Detail+changes.Opened[0].Excerpt, secret) {
		t.Errorf("got %+v, %v", changes, err)
	}
	if !reflect.DeepEqual(given[0], difference) || row.Origins[0].Err != said {
		t.Error("what was given was changed")
	}
	begun, err := s.BeginRun(t.Context(), history.Run{Job: "j", Slot: now, Started: now})
	if err != nil || !begun {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"check": func() error {
			_, err := s.RecordCheck(t.Context(), history.Check{Started: now, Err: said}, nil)
			return err
		}(),
		"publish": func() error {
			_, err := s.RecordPublish(t.Context(), history.Publish{Started: now, Err: said, Window: &diff.Window{Origins: []diff.OriginWindow{{Name: said}}}})
			return err
		}(),
		"run":  s.EndRun(t.Context(), history.Run{Job: "j", Slot: now, Err: said, Log: strings.Repeat(said+"\n", 100)}),
		"sent": s.RecordSent(t.Context(), "key", now, errSaid(said)),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for name := range modes(t, filepath.Dir(path)) {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil || strings.Contains(string(text), secret) {
			t.Errorf("%s holds the secret, or %v", name, err)
		}
	}
}

type errSaid string

func (e errSaid) Error() string { return string(e) }
