package origin_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/origin"
)

// TestPaceKeepsTheRate has many goroutines share a pace: no second has more turns than
// allowed, and almost none fewer.
func TestPaceKeepsTheRate(t *testing.T) {
	for _, rate := range []int{1, 10, 200} {
		synctest.Test(t, func(t *testing.T) {
			pace := origin.NewPace(float64(rate))
			var mu sync.Mutex
			var turns []time.Time
			var all sync.WaitGroup
			for range 16 {
				all.Go(func() {
					for range rate {
						if err := pace.Wait(t.Context()); err != nil {
							t.Error(err)
						}
						mu.Lock()
						turns = append(turns, time.Now())
						mu.Unlock()
					}
				})
			}
			all.Wait()
			for first, last := 0, 0; last < len(turns); last++ {
				for turns[last].Sub(turns[first]) >= time.Second {
					first++
				}
				if n := last - first + 1; n > rate {
					t.Fatalf("%d turns within a second, want at most %d", n, rate)
				}
			}
			if took := turns[len(turns)-1].Sub(turns[0]); took > 17*time.Second {
				t.Errorf("16 seconds' worth of turns took %s", took)
			}
		})
	}
}
