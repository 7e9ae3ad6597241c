package history_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// oldFile unpacks a history that the version with schema 6 has written.
func oldFile(t *testing.T) string {
	t.Helper()
	packed, err := os.Open("testdata/schema6.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	whole, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := io.ReadAll(whole)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), history.Name)
	if err := os.WriteFile(path, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAnOldFileIsReadAndContinued opens a file in which the tables had other names, and
// checks again.
func TestAnOldFileIsReadAndContinued(t *testing.T) {
	s := open(t, oldFile(t))
	noon := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	last, ok, err := s.LastCheck(t.Context())
	if err != nil || !ok || last.ID != 6 || last.Job != "drift" || last.Release != "r1" || len(last.Origins) != 2 {
		t.Fatalf("got %+v, %v, %v", last, ok, err)
	}
	a := last.Origins[0]
	if a.Name != "a" || a.URL != "https://a.example/" || a.State != diff.Drifts || a.Counts[diff.Stale] != 1 || a.Slowest[0].Path != "index.html" || a.Facts.Expires.IsZero() {
		t.Errorf("got %+v", a)
	}
	episodes, err := s.Episodes(t.Context(), history.EpisodeFilter{})
	if err != nil || len(episodes) != 3 || !episodes[0].Closed.IsZero() {
		t.Errorf("got %+v, %v", episodes, err)
	}
	if v, err := s.Validators(t.Context(), "https://a.example/"); err != nil || len(v) != 1 || v[0].ETag != `"e"` {
		t.Errorf("got %+v, %v", v, err)
	}
	if p, ok, err := s.LastPublish(t.Context()); err != nil || !ok || p.Release != "r1" {
		t.Errorf("got %+v, %v, %v", p, ok, err)
	}
	agrees := diff.OriginVerdict{Name: "a", URL: "https://a.example/", Pages: 2, Match: 2}
	c, found := history.CheckOf(diff.Verdict{Release: "r1", Pages: 2, Started: noon.Add(8 * time.Hour), Origins: []diff.OriginVerdict{agrees}})
	changes := record(t, s, c, found)
	if len(changes.Closed) != 1 || changes.Closed[0].ID != episodes[0].ID {
		t.Errorf("got %+v", changes)
	}
	days, err := s.Days(t.Context(), noon)
	if err != nil || len(days) != 2 || days[0].Origin != "a" || days[0].Checks != 7 || days[1].Checks != 6 || days[1].Unreachable != 1 {
		t.Errorf("got %+v, %v", days, err)
	}
	slow, err := s.Slowest(t.Context(), noon, noon, 1)
	if err != nil || len(slow) != 1 || slow[0].Took != 15*time.Millisecond {
		t.Errorf("got %+v, %v", slow, err)
	}
}
