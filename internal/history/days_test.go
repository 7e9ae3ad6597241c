package history_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// seenAt is a check as the model of this test knows it: the states of its origins.
type seenAt struct {
	at      time.Time
	states  map[string]diff.State
	partial bool
	failed  bool
}

func (c seenAt) check() history.Check {
	check := history.Check{Started: c.at, Partial: c.partial, Release: "r1"}
	if c.failed {
		check.Err = "no verdict"
	}
	for _, name := range slices.Sorted(maps.Keys(c.states)) {
		o := diff.OriginState{Name: name, State: c.states[name], Pages: 10, Match: 9, Elapsed: time.Second}
		for i := range 3 {
			took := time.Duration(c.at.UnixNano()/1e9%int64(101+i)) * time.Millisecond
			o.Slowest = append(o.Slowest, diff.Slow{Path: fmt.Sprint("p", c.at.UnixNano()/1e9%13, i), Took: took})
		}
		check.Origins = append(check.Origins, o)
	}
	return check
}

// someChecks is a story of a month: checks now often and now days apart, at midnight too.
func someChecks(r *rand.Rand) (all []seenAt) {
	at := time.Date(2026, 1, 30, 20, 0, 0, 0, time.UTC)
	states := []diff.State{diff.Agrees, diff.Agrees, diff.Drifts, diff.CannotBeSeen}
	for len(all) < 250 {
		gap := time.Duration(r.Int64N(int64(4 * time.Hour)))
		switch r.IntN(20) {
		case 0:
			gap = time.Duration(r.Int64N(int64(70 * time.Hour)))
		case 1:
			gap = at.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(at)
		}
		at = at.Add(gap + 1)
		all = append(all, seenAt{
			at: at, partial: r.IntN(9) == 0, failed: r.IntN(9) == 0,
			states: map[string]diff.State{"a": states[r.IntN(4)], "b": states[r.IntN(4)]},
		})
	}
	return all
}

// expect sums up a period the slow way, for one origin.
func expect(all []seenAt, name string, since, until time.Time) (d history.Day) {
	state := func(c seenAt) diff.State {
		if name != history.All {
			return c.states[name]
		}
		found := slices.Collect(maps.Values(c.states))
		switch {
		case slices.Contains(found, diff.Drifts):
			return diff.Drifts
		case slices.Contains(found, diff.CannotBeSeen):
			return diff.CannotBeSeen
		}
		return diff.Agrees
	}
	known := slices.DeleteFunc(slices.Clone(all), func(c seenAt) bool { return c.partial || c.failed })
	for _, c := range all {
		if in := !c.at.Before(since) && c.at.Before(until); in && c.failed && !c.partial && name == history.All {
			d.Failed++
		}
	}
	times := map[diff.State]time.Duration{}
	for i, c := range known {
		if !c.at.Before(since) && c.at.Before(until) {
			d.Checks++
			switch state(c) {
			case diff.Agrees:
				d.Agreed++
			case diff.Drifts:
				d.Drifted++
			default:
				d.Unreachable++
			}
		}
		if i == 0 {
			continue
		}
		before := known[i-1]
		for at := before.at; at.Before(c.at); { // in steps up to the next boundary
			next := c.at
			middle := before.at.Add(c.at.Sub(before.at) / 2)
			for _, edge := range []time.Time{since, until, middle, before.at.Add(history.MaxGap / 2), c.at.Add(-history.MaxGap / 2)} {
				if edge.After(at) && edge.Before(next) {
					next = edge
				}
			}
			near := before
			if !at.Before(middle) {
				near = c
			}
			far := at.Sub(before.at) >= history.MaxGap/2 && c.at.Sub(next) >= history.MaxGap/2
			if !far && !at.Before(since) && at.Before(until) {
				times[state(near)] += next.Sub(at)
			}
			at = next
		}
	}
	d.AgreedFor, d.DriftedFor, d.UnreachableFor = times[diff.Agrees], times[diff.Drifts], times[diff.CannotBeSeen]
	return d
}

// TestAPeriodIsWhatItsChecksSay compares what days and parts of days add up to with a sum
// over the single checks.
func TestAPeriodIsWhatItsChecksSay(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // no secret
	s, all := open(t, place(t)), someChecks(r)
	for _, c := range all {
		record(t, s, c.check(), nil)
	}
	first, last := all[0].at, all[len(all)-1].at
	for range 200 {
		since := first.Add(time.Duration(r.Int64N(int64(last.Sub(first)*3/2))) - 48*time.Hour)
		until := since.Add(time.Duration(r.Int64N(int64(last.Sub(first)))))
		switch r.IntN(4) {
		case 0:
			until = since.Add(time.Duration(r.Int64N(int64(20 * time.Hour))))
		case 1:
			since, until = since.Truncate(24*time.Hour), until.Truncate(24*time.Hour).Add(24*time.Hour)
		}
		wantSums(t, s, all, since, until)
	}
}

func wantSums(t *testing.T, s *history.Store, all []seenAt, since, until time.Time) {
	t.Helper()
	days, err := s.Between(t.Context(), since, until)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]history.Day{}
	for _, d := range days {
		sums[d.Origin] = sums[d.Origin].Plus(d)
	}
	for _, name := range []string{"a", "b", history.All} {
		got, want := sums[name], expect(all, name, since, until)
		got.Date, got.Origin, got.Pages, got.Matched, got.Elapsed = time.Time{}, "", 0, 0, 0
		for _, pair := range [][2]*time.Duration{{&got.AgreedFor, &want.AgreedFor}, {&got.DriftedFor, &want.DriftedFor}, {&got.UnreachableFor, &want.UnreachableFor}} {
			if (*pair[0] - *pair[1]).Abs() < time.Microsecond { // halves are cut to nanoseconds
				*pair[0] = *pair[1]
			}
		}
		if got != want {
			t.Fatalf("%q from %s to %s:\ngot  %+v\nwant %+v", name, since, until, got, want)
		}
	}
}

// TestTheSlowestOfManyDays wants those pages that were slowest over all checks, though few of
// a day are kept.
func TestTheSlowestOfManyDays(t *testing.T) {
	s := open(t, place(t))
	r := rand.New(rand.NewPCG(3, 3)) //nolint:gosec // no secret
	slowest := map[string]time.Duration{}
	for n := range 600 {
		o := diff.OriginState{Name: "a", State: diff.Agrees}
		for range 5 {
			page := diff.Slow{Path: fmt.Sprint("p", r.IntN(100)), Took: time.Duration(r.IntN(1e6)) * time.Microsecond}
			o.Slowest = append(o.Slowest, page)
			slowest[page.Path] = max(slowest[page.Path], page.Took)
		}
		record(t, s, history.Check{Started: minute(10 * n), Origins: []diff.OriginState{o}}, nil)
	}
	got, err := s.Slowest(t.Context(), minute(0), minute(6000), 10)
	if err != nil || len(got) != 10 {
		t.Fatal(len(got), err)
	}
	want := slices.SortedFunc(maps.Values(slowest), func(a, b time.Duration) int { return int(b - a) })
	for i, p := range got {
		if p.Took != want[i] || slowest[p.Path] != p.Took || p.Origin != "a" || p.At.IsZero() || p.Times < 1 {
			t.Errorf("%d: got %+v, want one of %s", i, p, want[i])
		}
	}
}
