package front_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"mirror/internal/front"
)

// TestMoveOfManyPaths measures how long after the answer that completes the quorum all visitors are on the new release:
// the record for a restart is complete before that, however many paths it has. It is part of make experiment-front.
func TestMoveOfManyPaths(t *testing.T) {
	if os.Getenv("MIRROR_EXPERIMENT") != "full" {
		t.Skip("takes minutes: make experiment-front")
	}
	for _, paths := range []int{100, 10_000, 100_000} {
		t.Run(fmt.Sprint(paths), func(t *testing.T) {
			after := movesOf(t, paths, 11)
			t.Logf("%d paths: a move comes %.2f ms after the quorum, %.2f ms at most of %d", paths, after[len(after)/2], after[len(after)-1], len(after))
		})
	}
}

// movesOf publishes releases of so many paths to two origins, one after the other, and returns in milliseconds, in order,
// how long after its quorum each move came.
func movesOf(t *testing.T, paths, moves int) []float64 {
	var mu sync.Mutex
	var after []float64
	w := newWorld(t, 2, front.Options{Quorum: 2, Events: func(e front.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Event == front.Moved && e.Sequence > 1 {
			after = append(after, e.After)
		}
	}})
	files := map[string]string{}
	for i := range paths {
		files[fmt.Sprintf("folder-%d/page-%d.html", i/1000, i)] = "page"
	}
	for n := range moves + 1 {
		files["index.html"] = fmt.Sprint("home ", n)
		rel := release(t, int64(n+1), files)
		w.publish(rel, 0)
		if n == 0 {
			w.start()
		}
		w.publish(rel, 1)
		w.await("/", files["index.html"])
	}
	w.stop()
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(after)
	return after
}
