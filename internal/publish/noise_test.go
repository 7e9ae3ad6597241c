package publish_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/lag"
	"mirror/internal/publish"
)

// noisyOrigins are origins whose lags vary, and what the publishes so far have learnt of them.
type noisyOrigins struct {
	rng     *rand.Rand
	names   []string
	lags    []time.Duration
	noise   func(edition int, name string) time.Duration // mean of what is added to a lag
	samples map[string][]time.Duration                   // the latest first
	edition int
}

// publish publishes another edition, and returns how long the origins then differ.
func (o *noisyOrigins) publish(t *testing.T) time.Duration {
	t.Helper()
	o.edition++
	s := &stage{lags: map[string]time.Duration{}}
	order := publish.Order{Barrier: patience, Lags: map[string]time.Duration{}, Spreads: map[string]time.Duration{}}
	var roles []string
	for i, name := range o.names {
		roles = append(roles, name+" dir")
		s.lags[name] = o.lags[i] + time.Duration(o.rng.ExpFloat64()*float64(o.noise(o.edition, name)))
		if e, known := lag.Expect(o.samples[name]); known {
			order.Lags[name], order.Spreads[name] = e.Lag, e.Spread
		}
	}
	if _, err := s.run(t.Context(), order, s.cast(roles...)); err != nil {
		t.Fatal(err)
	}
	for _, name := range o.names {
		o.samples[name] = slices.Insert(o.samples[name], 0, s.lags[name])
	}
	turns := s.turns(t)
	return slices.Max(turns) - slices.Min(turns)
}

// turns lists when the origins turned.
func (s *stage) turns(t *testing.T) (all []time.Duration) {
	t.Helper()
	for _, line := range s.log {
		at, name, committed := strings.Cut(line, " commit ")
		if !committed {
			continue
		}
		began, err := time.ParseDuration(at)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, began+s.lags[name])
	}
	return all
}

// TestWindowOfOriginsThatVary has a hundred worlds of origins with lags that vary learn them from two
// publishes, and looks at the windows of the next five.
func TestWindowOfOriginsThatVary(t *testing.T) {
	const ms = time.Millisecond
	four := []time.Duration{0, 200 * ms, time.Second, 4 * time.Second}
	for _, c := range []struct {
		name  string
		lags  []time.Duration
		noise func(edition int, name string) time.Duration
		most  time.Duration // in the middle of the worlds' medians
	}{
		{"a little", four, func(int, string) time.Duration { return 20 * ms }, 60 * ms},
		{"a lot, while the lags are learnt", four, func(edition int, _ string) time.Duration {
			if edition <= 2 {
				return 300 * ms
			}
			return 10 * ms
		}, 40 * ms},
		{"the slowest one, by more than another one takes", []time.Duration{0, 500 * ms, 20 * time.Second}, func(_ int, name string) time.Duration {
			if name == "c" {
				return 5 * time.Second
			}
			return 10 * ms
		}, 600 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			var medians []time.Duration
			for n := range uint64(100) {
				synctest.Test(t, func(t *testing.T) {
					o := noisyOrigins{
						rng: rand.New(rand.NewPCG(1, n)), names: []string{"a", "b", "c", "d"}[:len(c.lags)], lags: c.lags, noise: c.noise,
						samples: map[string][]time.Duration{},
					}
					var windows []time.Duration
					for range 7 {
						windows = append(windows, o.publish(t))
					}
					medians = append(medians, middle(windows[2:]))
				})
			}
			if got := middle(medians); got > c.most {
				t.Errorf("the windows last %s, want at most %s", got, c.most)
			} else {
				t.Logf("the windows last %s", got)
			}
		})
	}
}

func middle(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}
