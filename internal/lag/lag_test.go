package lag_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/lag"
	"mirror/site"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func publish(minute int, lags ...int64) lag.Publish {
	p := lag.Publish{At: now.Add(time.Duration(minute) * time.Minute), Release: site.ID(strings.Repeat("a", 64)), Lags: map[string]int64{}}
	for i, ms := range lags {
		p.Lags[string(rune('a'+i))] = ms
	}
	return p
}

func TestExpect(t *testing.T) {
	ms := func(all ...int) (out []time.Duration) {
		for _, n := range all {
			out = append(out, time.Duration(n)*time.Millisecond)
		}
		return out
	}
	for _, c := range []struct {
		samples []time.Duration
		lag     time.Duration
		spread  time.Duration
		known   bool
	}{
		{nil, 0, 0, false},
		{ms(18000), 0, 0, false}, // nothing rests on a single sample
		{ms(10, 78), 10 * time.Millisecond, 0, true},
		{ms(1000, 18000, 1020), 1000 * time.Millisecond, 20 * time.Millisecond, true},
		{ms(10, 78, 12, 60, 20), 12 * time.Millisecond, 8 * time.Millisecond, true},
		{ms(1000, 1300, 1310), 1000 * time.Millisecond, 300 * time.Millisecond, true},                          // the machine was busy at first
		{ms(2000, 2000, 2000, 2000, 1000, 1000, 1000, 1000), 2000 * time.Millisecond, 0, true},                 // slower for good
		{ms(5, 1000, 1000, 1000, 1000), 1000 * time.Millisecond, 0, true},                                      // one that is too short
		{ms(1000, 9000, 9000, 9000, 1000, 1000, 1000), 1000 * time.Millisecond, 8000 * time.Millisecond, true}, // an outage
	} {
		e, known := lag.Expect(c.samples)
		if e.Lag != c.lag || e.Spread != c.spread || known != c.known {
			t.Errorf("%v: got %+v, %v; want %s ± %s, %v", c.samples, e, known, c.lag, c.spread, c.known)
		}
	}
}

// TestRecordsOfSeveralTargets has each of two targets miss a publish.
func TestRecordsOfSeveralTargets(t *testing.T) {
	a := lag.Record{Publishes: []lag.Publish{publish(1, 100), publish(2, 200)}}
	b := lag.Record{Publishes: []lag.Publish{publish(2, 200), publish(3, 300)}}
	text, err := lag.Merge(a, b).Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := lag.Decode(text, now.Add(time.Hour))
	if err != nil || fmt.Sprint(got.Samples("a")) != "[300ms 200ms 100ms]" || got.Samples("b") != nil {
		t.Errorf("got %v, %v", got, err)
	}
	var many lag.Record
	for i := range 100 {
		many = lag.Merge(many, lag.Record{Publishes: []lag.Publish{publish(i, int64(i))}})
	}
	if all := many.Samples("a"); len(all) != 15 || all[0] != 99*time.Millisecond {
		t.Errorf("got %v, want the last 15", all)
	}
}

// TestHostileRecords has a record be anything at all.
func TestHostileRecords(t *testing.T) {
	for _, text := range []string{"", "{", "[]", `{"version":2}`, `{"version":1,"publishes":3}`, strings.Repeat(" ", lag.MaxRecord+1)} {
		if r, err := lag.Decode([]byte(text), now); err == nil {
			t.Errorf("%.20q: got %v, want an error", text, r)
		}
	}
	r, err := lag.Decode([]byte(`{"version":1,"publishes":[{"at":"2999-01-01T00:00:00Z","lags_ms":{"a":1}},
		{"at":"2026-01-01T00:00:00Z","lags_ms":{"a":-5,"b":9223372036854775807,"c":7}}, {"at":"2026-01-01T00:00:00Z"}]}`), now)
	if err != nil || r.Samples("a") != nil || r.Samples("b") != nil || !slices.Equal(r.Samples("c"), []time.Duration{7 * time.Millisecond}) {
		t.Errorf("got %v, %v; want only what can be true", r, err)
	}
}

func TestTells(t *testing.T) {
	var r lag.Record
	for i := range 5 {
		if !r.Tells(publish(i, 4000)) {
			t.Errorf("publish %d tells nothing", i)
		}
		r = lag.Merge(r, lag.Record{Publishes: []lag.Publish{publish(i, 4000)}})
	}
	for ms, want := range map[int64]bool{4000: false, 4300: false, 4500: true, 100: true} {
		if got := r.Tells(publish(9, ms)); got != want {
			t.Errorf("%d ms: got %v, want %v", ms, got, want)
		}
	}
	outage := lag.Merge(r, lag.Record{Publishes: []lag.Publish{publish(9, 9000)}})
	if !outage.Tells(publish(10, 4000)) {
		t.Error("a publish with the usual lag after an outage tells nothing: the record would hold outages alone")
	}
	if r.Tells(publish(9)) || !r.Tells(publish(9, 4000, 1)) {
		t.Error("want a publish without a lag to tell nothing, and a new origin to tell something")
	}
}
