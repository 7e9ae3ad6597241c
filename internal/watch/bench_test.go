package watch_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/realserver"
	"mirror/internal/watch"
	"mirror/site"
)

// benchPages is how many pages of 8 KB the benchmarks ask for, as many as a publish
// watches at most.
const benchPages = 200

// benchSite serves the pages with nginx, a process of its own. They never turn.
func benchSite(tb testing.TB) (*url.URL, []diff.Change) {
	tb.Helper()
	dir := tb.TempDir()
	var all []diff.Change
	for i := range benchPages {
		text := []byte(strings.Repeat(fmt.Sprintf("<p>page %d</p>", i), 700)[:8<<10])
		c := diff.Change{Path: fmt.Sprintf("%03d.html", i), Old: sha256.Sum256(text), New: site.Digest{1}}
		if err := os.WriteFile(filepath.Join(dir, c.Path), text, 0o644); err != nil {
			tb.Fatal(err)
		}
		all = append(all, c)
	}
	u, err := url.Parse(realserver.Nginx(tb, dir) + "/")
	if err != nil {
		tb.Fatal(err)
	}
	return u, all
}

// watched watches for a while, or at most so many requests (0 for any number), and returns what
// a request cost this process.
func watched(tb testing.TB, u *url.URL, changes []diff.Change, rate float64, length time.Duration, most int64) (perRequest time.Duration, requests int) {
	tb.Helper()
	at := origin.Endpoint{
		Name: "nginx", URL: u,
		Options: origin.Options{Concurrency: 16, Rate: rate, Timeout: 10 * time.Second},
	}
	ctx, cancel := context.WithTimeout(tb.Context(), length)
	defer cancel()
	var answers atomic.Int64
	before := cpu(tb)
	w := watch.Start(ctx, []origin.Endpoint{at}, watch.Options{
		Began: time.Now(), Changes: changes,
		See: func(_ string, o site.Observation, side diff.Side) {
			if answers.Add(1) == most {
				cancel()
			}
			if side != diff.Old && ctx.Err() == nil {
				tb.Errorf("got %+v", o)
			}
		},
	})
	w.Settle(ctx, []string{"nginx"})
	w.Stop()
	requests = w.Window().Origins[0].Polls
	return (cpu(tb) - before) / time.Duration(max(requests, 1)), requests
}

// looped does the least that a Go program can for as long: GET and hash, 16 at once, at a
// rate where that is not 0.
func looped(tb testing.TB, u *url.URL, changes []diff.Change, rate float64, length time.Duration, most int64) (perRequest time.Duration, requests int) {
	tb.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, MaxConnsPerHost: 16, DisableCompression: true}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(tb.Context(), length)
	defer cancel()
	tick := make(<-chan time.Time)
	if rate > 0 {
		ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
		defer ticker.Stop()
		tick = ticker.C
	}
	before := cpu(tb)
	var next atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for ctx.Err() == nil {
				if rate > 0 {
					select {
					case <-tick:
					case <-ctx.Done():
						return
					}
				}
				n := next.Add(1)
				if n == most {
					cancel()
				}
				c := changes[int(n)%len(changes)]
				if err := getAndHash(client, u.String()+c.Path, c.Old); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	all.Wait()
	requests = int(next.Load())
	return (cpu(tb) - before) / time.Duration(max(requests, 1)), requests
}

func getAndHash(client *http.Client, from string, want site.Digest) error {
	resp, err := client.Get(from)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, resp.Body); err != nil {
		return err
	}
	if site.Digest(h.Sum(nil)) != want {
		return fmt.Errorf("%s has other bytes", from)
	}
	return nil
}

// BenchmarkWatch compares what a request of a watch costs the client with a bare loop that
// does the same, as fast as they can and at the usual rate.
func BenchmarkWatch(b *testing.B) {
	const length = 2 * time.Second
	u, changes := benchSite(b)
	for _, c := range []struct {
		name        string
		watch, loop float64 // rates
	}{{"flat out", 1e6, 0}, {"200 a second", 200, 200}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				cost, n := watched(b, u, changes, c.watch, length, 0)
				bare, m := looped(b, u, changes, c.loop, length, 0)
				b.ReportMetric(float64(cost.Microseconds()), "cpu-µs/request")
				b.ReportMetric(float64(bare.Microseconds()), "bare-cpu-µs/request")
				b.ReportMetric(float64(cost)/float64(bare), "ratio")
				b.ReportMetric(float64(n)/length.Seconds(), "requests/s")
				b.ReportMetric(float64(m)/length.Seconds(), "bare-requests/s")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// TestWatchIsCheap has a request of a watch cost at most twice what it does in the bare
// loop, in processor time. As measured the two are about equal. Each is what it cost in the
// round that cost least, since a busy machine only ever adds to that; further rounds are made
// where a few do not show it.
func TestWatchIsCheap(t *testing.T) {
	const length, requests, most, rounds = 2 * time.Minute, 500, 2.0, 20
	u, changes := benchSite(t)
	var least, bare time.Duration
	for round := range rounds {
		cost, _ := watched(t, u, changes, 1e6, length, requests)
		loop, _ := looped(t, u, changes, 0, length, requests)
		if round == 0 {
			least, bare = cost, loop
		}
		least, bare = min(least, cost), min(bare, loop)
		if round > 1 && float64(least) <= most*float64(bare) {
			break
		}
	}
	t.Logf("a request costs %s, %s in the bare loop", least, bare)
	if float64(least) > most*float64(bare) {
		t.Errorf("want at most %.0f times as much", most)
	}
}
