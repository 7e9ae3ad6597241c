package summary_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/summary"
)

// busy is check number n of a site of 1,000 pages whose origins drift and fall silent now and
// then, with ever other pages among the slowest.
func busy(r *rand.Rand, start, at time.Time, n int) (history.Check, []diff.Difference) {
	v := diff.Verdict{Release: "5f3a", Pages: 1000, Started: at, Elapsed: 812 * time.Millisecond}
	for i, name := range []string{"pages", "bucket", "image"} {
		o := diff.OriginVerdict{
			Name: name, URL: "https://" + name + ".example/", Release: "5f3a", Pages: 1000, Match: 1000, Requests: 1005, Bytes: 38211044 + int64(n%97),
			Elapsed: time.Duration(600+r.IntN(400)) * time.Millisecond, Facts: diff.Facts{Expires: start.AddDate(1, 0, 0)},
		}
		for range 5 {
			o.Slowest = append(o.Slowest, diff.Slow{Path: fmt.Sprintf("posts/2026/a-page-of-some-length-%03d/index.html", r.IntN(1000)), Took: time.Duration(20_000+r.IntN(80_000)) * time.Microsecond})
		}
		switch {
		case (n/20+7*i)%50 == 0:
			o.Match--
			o.Differences = []diff.Difference{{Origin: name, Path: "about/index.html", Kind: diff.Stale, Release: "0123", Detail: "1 release behind"}}
		case (n/10+3*i)%300 == 0:
			o.Match, o.Err = 0, fmt.Errorf("read tcp 127.0.0.1:%d: connection refused", r.IntN(65536))
		}
		v.Origins = append(v.Origins, o)
	}
	return history.CheckOf(v)
}

// fill makes a history of n checks and returns its file, and when the last one has ended.
func fill(t testing.TB, n int, every time.Duration) (s *history.Store, path string, start, end time.Time) {
	t.Helper()
	path = filepath.Join(t.TempDir(), history.Name)
	s, err := history.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	start = time.Date(2026, 1, 1, 0, 0, 30, 0, time.UTC)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret
	for i := range n {
		c, found := busy(r, start, start.Add(time.Duration(i)*every), i)
		if _, err := s.RecordCheck(t.Context(), c, found); err != nil {
			t.Fatal(err)
		}
	}
	return s, path, start, start.Add(time.Duration(n) * every)
}

// TestFigures holds what a check costs on disk, and that a report rests on the days. With
// MIRROR_EXPERIMENT=full it does so for a million rows, and holds the report's time.
func TestFigures(t *testing.T) {
	n, every, mostBytes := 600, 15*time.Minute, 200.0
	full := os.Getenv("MIRROR_EXPERIMENT") == "full"
	if full {
		n, every = 333_334, 90*time.Second
	}
	began := time.Now()
	s, path, start, end := fill(t, n, every)
	recorded := time.Since(began)
	if _, err := s.Prune(t.Context(), end, history.Retention{}); err != nil {
		t.Fatal(err)
	}
	size, err := s.Size()
	if err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	p, err := summary.Of(t.Context(), s, start.Add(-time.Hour), end)
	took := time.Since(began)
	if err != nil || p.Checks != n {
		t.Fatal(p.Checks, err)
	}
	const fixed = 200_000 // the tables, and the words of the site
	each := float64(size-fixed) / float64(3*n)
	t.Logf("%d rows: %.1f MB, %.1f bytes a row; %s a check recorded; report in %s; %d episodes",
		3*n, float64(size)/1e6, each, recorded/time.Duration(n), took, p.EpisodeCount)
	if each > mostBytes {
		t.Errorf("got %.1f bytes a row, want at most %.1f", each, mostBytes)
	}
	if full && took > time.Second {
		t.Errorf("the report took %s", took)
	}
	restsOnDays(t, s, path, start.Add(5*time.Hour), end.Add(-3*time.Hour))
}

// restsOnDays removes the single checks in the middle of a period, and wants the same report.
func restsOnDays(t *testing.T, s *history.Store, path string, since, until time.Time) {
	t.Helper()
	before, err := summary.Of(t.Context(), s, since, until)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	gone, err := db.ExecContext(t.Context(), `DELETE FROM check_origin WHERE "check" IN (SELECT id FROM "check" WHERE started BETWEEN ? AND ?)`,
		since.Add(50*time.Hour).UnixNano(), until.Add(-50*time.Hour).UnixNano())
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := gone.RowsAffected(); err != nil || int(rows) < before.Checks/4 {
		t.Fatal(rows, before.Checks, err)
	}
	after, err := summary.Of(t.Context(), s, since, until)
	if err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("got another report, %v:\n%+v\n%+v", err, after.Agreement, before.Agreement)
	}
}
