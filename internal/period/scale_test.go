package period_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/period"
)

var origins = []string{"pages", "bucket", "image"}

// busy is check number n of a site of 1,000 pages whose origins drift and fall silent now and
// then, with ever other pages among the slowest.
func busy(r *rand.Rand, start time.Time, n int, every time.Duration) (history.Check, []diff.Difference) {
	v := diff.Verdict{Release: "5f3a", Pages: 1000, Started: start.Add(time.Duration(n) * every), Elapsed: 812 * time.Millisecond}
	for i, name := range origins {
		o := diff.OriginVerdict{
			Name: name, URL: "https://" + name + ".example/", Release: "5f3a", Pages: 1000, Match: 1000, Requests: 1005, Bytes: 38211044 + int64(n%97),
			Elapsed: time.Duration(600+r.IntN(400)) * time.Millisecond, Facts: diff.Facts{Expires: start.AddDate(1, 0, 0)},
		}
		for range 5 {
			o.Slowest = append(o.Slowest, diff.Slow{Path: fmt.Sprintf("posts/2026/a-page-of-some-length-%03d/index.html", r.IntN(1000)), Took: time.Duration(20_000+r.IntN(80_000)) * time.Microsecond})
		}
		switch {
		case (n/20+7*i)%50 == 0: // an hour of every 50 at a check in three minutes
			o.Match--
			o.Differences = []diff.Difference{{Origin: name, Path: "about/index.html", Kind: diff.Stale, Release: "0123", Detail: "1 release behind"}}
		case (n/10+3*i)%300 == 0:
			o.Match, o.Err = 0, fmt.Errorf("read tcp 127.0.0.1:%d: connection refused", r.IntN(65536))
		}
		v.Origins = append(v.Origins, o)
	}
	return history.CheckOf(v)
}

// fill makes a history of n checks, at most some time apart, in the last year.
func fill(t testing.TB, n int) (*history.Store, string, time.Time) {
	t.Helper()
	path := filepath.Join(t.TempDir(), history.Name)
	s, err := history.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	start, every := time.Date(2026, 1, 1, 0, 0, 30, 0, time.UTC), 90*time.Second
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret
	for i := range n {
		c, found := busy(r, start, i, every)
		if _, err := s.RecordCheck(t.Context(), c, found); err != nil {
			t.Fatal(err)
		}
	}
	return s, path, start.Add(time.Duration(n) * every)
}

func TestFigures(t *testing.T) {
	n := 2000
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		n = 333_334
	}
	began := time.Now()
	s, _, end := fill(t, n)
	recorded := time.Since(began)
	size, err := s.Size()
	if err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	p, err := period.Of(t.Context(), s, end.Add(-time.Duration(n)*90*time.Second-time.Hour), end)
	took := time.Since(began)
	if err != nil || p.Checks != n {
		t.Fatal(p.Checks, err)
	}
	t.Logf("%d rows: %.1f MB, %.1f bytes a row; %s a check recorded; report in %s; %d episodes",
		3*n, float64(size)/1e6, float64(size)/float64(3*n), recorded/time.Duration(n), took, p.EpisodeCount)
}
