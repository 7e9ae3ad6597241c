package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"mirror/internal/lab/edge"
	"mirror/internal/longtest"
	"mirror/internal/publish"
)

// gauge counts an origin's requests as they arrive.
type gauge struct {
	mu   sync.Mutex
	came []time.Time
}

// over counts before a fault, which may be nil.
func (g *gauge) over(fault edge.Fault) edge.Fault {
	return func(next http.Handler) http.Handler {
		if fault != nil {
			next = fault(next)
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			g.mu.Lock()
			g.came = append(g.came, time.Now())
			g.mu.Unlock()
			next.ServeHTTP(w, r)
		})
	}
}

// busiest is the most requests that came within any time so long.
func (g *gauge) busiest(long time.Duration) (most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.SortFunc(g.came, time.Time.Compare)
	first := 0
	for last, at := range g.came {
		for at.Sub(g.came[first]) >= long {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

// The rate is counted over longPace, in which may arrive what was sent within longPace and
// delivery: so much later than another may a request be delivered on a busy machine. That no
// second has more requests than configured when they are sent is origin's own test.
const (
	longPace = 3 * time.Second
	delivery = 2 * time.Second
)

// TestPublishKeepsTheRate counts what a publish asks of each origin, from its first look at
// what is live to its last check: no more than configured, those included that net/http sends
// a second time by itself when a connection breaks.
func TestPublishKeepsTheRate(t *testing.T) {
	longtest.Skip(t, "publishes at low rates")
	for _, c := range []struct {
		name  string
		rate  int
		fault edge.Fault
	}{
		{"slow", 10, nil}, {"usual", 200, nil}, {"breaks connections", 100, edge.Sometimes(0.3, edge.Reset)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newTrial(t)
			r.write(soundSite(0))
			r.publish(publish.Parallel)
			r.configure("rate: 0", fmt.Sprintf("rate: %d", c.rate))
			gauges := map[string]*gauge{}
			for _, o := range r.lab.Origins() {
				g := &gauge{}
				gauges[o.Name] = g
				o.SetFault(g.over(c.fault))
				o.SetLag(2500*time.Millisecond, 0)
			}
			r.write(soundSite(1))
			r.publish(publish.Parallel)
			for name, g := range gauges {
				most := g.busiest(longPace)
				want := 1 + int(float64(c.rate)*(longPace+delivery).Seconds())
				t.Logf("%s: %d requests, at most %d within %s", name, len(g.came), most, longPace)
				if most > want || len(g.came) < soundPages {
					t.Errorf("%s was asked %d times within %s, want at most %d", name, most, longPace, want)
				}
			}
		})
	}
}
