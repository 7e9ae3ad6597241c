package edge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/lab/edge"
)

// eachWorld runs a test in the time of synctest in a world of each kind.
func eachWorld(t *testing.T, test func(t *testing.T, w *world)) {
	for name, newWorld := range worlds() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				test(t, w)
			})
		})
	}
}

// logOf tells turns in short: when, at which cache, which file.
func logOf(turns edge.Turns, start time.Time) string {
	var all []string
	for _, turn := range turns {
		at := fmt.Sprint(turn.At.Before.Sub(start))
		if turn.At.After != turn.At.Before {
			at += " to " + fmt.Sprint(turn.At.After.Sub(start))
		}
		all = append(all, fmt.Sprintf("%s %d %s", at, turn.Edge, turn.Path))
	}
	return strings.Join(all, ", ")
}

func wantLog(t *testing.T, turns edge.Turns, start time.Time, want string) {
	t.Helper()
	if got := logOf(turns, start); got != want {
		t.Errorf("turned\n%s, want\n%s", got, want)
	}
}

// sees asks for a page until each cache has answered.
func (w *world) sees(path string, edges int) []string {
	bodies := make([]string, edges)
	for met := map[int]bool{}; len(met) < edges; {
		edge, body := w.get(path)
		bodies[edge], met[edge] = body, true
	}
	return bodies
}

func (w *world) wantSeen(path string, want ...string) {
	w.t.Helper()
	if got := w.sees(path, len(want)); !slices.Equal(got, want) {
		w.t.Errorf("the caches show %q, want %q", got, want)
	}
}

func TestStaleEdge(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.change(map[string]string{"p": "old", "q": "same"}, true)
		w.SetEdges(edge.Edges{Stale: []time.Duration{0, 2 * time.Second}})
		w.SetLag(time.Second, 0)
		start := time.Now()
		w.change(map[string]string{"p": "new", "q": "same"}, false)
		for _, c := range []struct {
			at   time.Duration
			want []string
		}{
			{0, []string{"old", "old"}}, {time.Second - 1, []string{"old", "old"}},
			{time.Second, []string{"new", "old"}}, {3*time.Second - 1, []string{"new", "old"}},
			{3 * time.Second, []string{"new", "new"}},
		} {
			time.Sleep(time.Until(start.Add(c.at)))
			w.wantSeen("p", c.want...)
		}
		turns := w.Turned().Since(start.Add(1))
		wantLog(t, turns, start, "1s 0 p, 3s 1 p")
		if first, last := turns.First(), turns.Last(); first.Before.Sub(start) != time.Second || last.After.Sub(start) != 3*time.Second {
			t.Errorf("first %v, last %v", first, last)
		}
		if got := turns.To(digest("new")).On(1); len(got) != 1 || got[0].Old != digest("old") {
			t.Errorf("the second cache turned %v", got)
		}
		wantLog(t, w.Turned("q").Since(start.Add(1)), start, "")
	})
}

func TestSettleWaitsForTheLastEdge(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.SetEdges(edge.Edges{Stale: []time.Duration{0, edge.Never, 2 * time.Second}})
		w.SetLag(time.Second, 0)
		start := time.Now()
		w.change(map[string]string{"p": "new"}, false)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second-1)
		defer cancel()
		if err := w.Settle(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Settle before all has turned: %v", err)
		}
		if err := w.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("settled after %s, want 3s", took)
		}
		w.wantSeen("p", "new", "", "new")
	})
}

func TestEditIsSeenEverywhereAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.SetEdges(edge.Edges{Stale: []time.Duration{time.Minute, edge.Never}})
		w.SetLag(time.Hour, 0)
		w.SetTrickle(time.Hour, nil)
		start := time.Now()
		w.change(map[string]string{"p": "1", "q": "1"}, true)
		w.wantSeen("p", "1", "1")
		w.wantSeen("q", "1", "1")
		if err := w.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("settled after %s, want at once", took)
		}
		wantLog(t, w.Turned(), start, "0s 0 p, 0s 1 p, 0s 0 q, 0s 1 q")
	})
}

func TestFlap(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.change(map[string]string{"p": "old"}, true)
		w.SetFlap(true)
		for _, content := range []string{"new", "newer"} {
			time.Sleep(time.Hour)
			w.change(map[string]string{"p": content}, false)
			if err := w.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			w.wantSeen("p", content, "old")
		}
		mended := time.Now()
		w.SetFlap(false)
		w.wantSeen("p", "newer")
		turns := w.Turned("p").Since(mended)
		wantLog(t, turns, mended, "0s 1 p")
		if turns[0].Old != digest("old") || turns[0].New != digest("newer") {
			t.Errorf("mended by %v", turns[0])
		}
	})
}

func TestBustedRequestsMeetTheOrigin(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.SetEdges(edge.Edges{Stale: []time.Duration{time.Second}, Busted: true})
		start := time.Now()
		w.change(map[string]string{"p": "new"}, false)
		if at, body := w.get("p"); at != 0 || body != "" {
			t.Errorf("the cache %d shows %q", at, body)
		}
		if at, body := w.get("p?1"); at != edge.Behind || body != "new" {
			t.Errorf("the origin is %d and shows %q", at, body)
		}
		time.Sleep(time.Second)
		wantLog(t, w.Turned(), start, "0s -1 p, 1s 0 p")
	})
}

func TestTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := releasesWorld(t)
		defer w.close()
		w.change(map[string]string{"a": "1", "b": "1", "c": "1", "same": "1"}, true)
		w.SetLag(time.Second, 0)
		w.SetTrickle(time.Second, func(a, b string) int { return strings.Compare(b, a) })
		start := time.Now()
		w.change(map[string]string{"a": "2", "b": "2", "c": "", "n": "2", "same": "1"}, false)
		time.Sleep(3 * time.Second)
		for path, want := range map[string]string{"n": "2", "c": "", "b": "2", "a": "1", "same": "1"} {
			if _, got := w.get(path); got != want {
				t.Errorf("half-way %s is %q, want %q", path, got, want)
			}
		}
		if err := w.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantLog(t, w.Turned().Since(start.Add(1)), start, "1s 0 n, 2s 0 c, 3s 0 b, 4s 0 a")

		start = time.Now()
		w.SetTrickle(time.Second, nil)
		w.change(map[string]string{"a": "3", "b": "3", "same": "3"}, false)
		time.Sleep(2 * time.Second)
		w.change(map[string]string{"same": "4"}, true) // all of a newer release is there at once
		if err := w.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantLog(t, w.Turned().Since(start.Add(1)), start, "1s 0 a, 2s 0 b, 2s 0 same")
		for path, want := range map[string]string{"a": "3", "b": "3", "same": "4"} {
			if _, got := w.get(path); got != want {
				t.Errorf("in the end %s is %q, want %q", path, got, want)
			}
		}
	})
}

func TestBucketTrickles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bucketWorld(t)
		defer w.close()
		w.SetLag(time.Second, 0)
		w.SetTrickle(time.Second, nil)
		start := time.Now()
		w.change(map[string]string{"a": "1", "b": "1"}, false)
		w.change(map[string]string{"c": "1", ".mirror/objects/x": "1"}, false)
		if err := w.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantLog(t, w.Turned(), start, "1s 0 a, 2s 0 b, 4s 0 c")
	})
}

// One asked for later and due sooner is seen, and the earlier one never.
func TestSuperseded(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		start := time.Now()
		w.SetLag(time.Hour, 0)
		w.change(map[string]string{"p": "slow", "q": "slow"}, false)
		w.SetLag(time.Second, 0)
		w.change(map[string]string{"p": "fast", "q": "slow"}, false)
		time.Sleep(2 * time.Hour)
		wantLog(t, w.Turned(), start, "1s 0 p, 1s 0 q")
		w.wantSeen("p", "fast")
	})
}

// A release is freed when no cache shows it any longer, one that is never shown too.
func TestReleasesAreFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := releasesWorld(t)
		freed := func(want int64) {
			t.Helper()
			synctest.Wait()
			if got := w.freed.Load(); got != want {
				t.Errorf("%d releases freed, want %d", got, want)
			}
		}
		w.SetEdges(edge.Edges{Stale: []time.Duration{0, time.Second, edge.Never}})
		w.change(map[string]string{"p": "1"}, true)
		w.change(map[string]string{"p": "2"}, false)
		w.change(map[string]string{"p": "3"}, false)
		freed(0)
		time.Sleep(time.Second)
		freed(1) // the second: the first is stuck
		w.SetLag(time.Hour, 0)
		w.change(map[string]string{"p": "4"}, false)
		w.SetEdges(edge.Edges{})
		freed(2)
		w.change(map[string]string{"p": "5"}, true)
		freed(4)
		w.close()
		freed(5)
	})
}

// Builds may take their time and fail: what was asked for first never comes last.
func TestSlowBuildsKeepTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := releasesWorld(t)
		defer w.close()
		d := w.releases
		building := func(content string, takes time.Duration, err error) func(context.Context) (*edge.Release, error) {
			return func(context.Context) (*edge.Release, error) {
				time.Sleep(takes)
				return siteOf(d, map[string]string{"p": content}, nil), err
			}
		}
		start := time.Now()
		d.Later(building("slow", 3*time.Second, nil))
		d.Later(building("failed", time.Second, errors.New("a bad image")))
		d.Later(building("newest", 0, nil))
		if err := w.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantLog(t, w.Turned(), start, "3s 0 p")
		w.wantSeen("p", "newest")
	})
}
