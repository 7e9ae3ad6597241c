package history_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// minute is the n-th minute of the story.
func minute(n int) time.Time { return began.Truncate(time.Second).Add(time.Duration(n) * time.Minute) }

// checked is a check of one origin of 100 pages, in minute n, that found differences.
func checked(n int, found ...diff.Difference) (history.Check, []diff.Difference) {
	o := diff.OriginVerdict{Name: "a", URL: "https://a.example/", Pages: 100, Match: 100 - len(found), Elapsed: time.Second, Differences: found}
	return history.CheckOf(diff.Verdict{Release: "r1", Pages: 100, Started: minute(n), Elapsed: time.Second, Origins: []diff.OriginVerdict{o}})
}

func record(t testing.TB, s *history.Store, c history.Check, found []diff.Difference) history.Changes {
	t.Helper()
	changes, err := s.RecordCheck(t.Context(), c, found)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func stale(path string) diff.Difference {
	return diff.Difference{Path: path, Kind: diff.Stale, Release: "r0", Detail: "one behind", URL: "https://a.example/" + path}
}

func silent(path string) diff.Difference {
	return diff.Difference{Path: path, Kind: diff.Unreachable, Detail: "timeout"}
}

func TestChecksComeBackAsTheyWere(t *testing.T) {
	s := open(t, place(t))
	c := history.Check{
		Job: "drift", Started: minute(3), Elapsed: 812 * time.Millisecond, Release: "r1", Pages: 2,
		Origins: []diff.OriginState{
			{
				Name: "镜像", URL: "https://b.example/", State: diff.Drifts, Release: "r0", Pages: 2, Match: 1, Requests: 5, Bytes: 1 << 40, Elapsed: time.Second,
				Counts: map[diff.Kind]int{diff.Stale: 1}, Facts: diff.Facts{Expires: minute(0)}, Slowest: []diff.Slow{{Path: "a\xff", Took: 3 * time.Millisecond}, {Path: "b", Took: time.Microsecond}},
			},
			{Name: "a", URL: "https://a.example/", State: diff.CannotBeSeen, Err: "refused", Counts: map[diff.Kind]int{}},
		},
	}
	record(t, s, c, nil)
	record(t, s, history.Check{Started: minute(4), Err: "no config"}, nil)
	record(t, s, history.Check{Started: minute(5), Partial: true, Origins: c.Origins[:1]}, nil)
	c.ID = 1
	if got, ok, err := s.LastCheck(t.Context()); err != nil || !ok || !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, %v, %v\nwant %+v", got, ok, err, c)
	}
	if got, ok, err := s.Check(t.Context(), 1); err != nil || !ok || !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, %v, %v\nwant %+v", got, ok, err, c)
	}
	all, err := s.Checks(t.Context(), minute(4), 0)
	if err != nil || len(all) != 2 || all[1].Err != "no config" || !all[0].Partial {
		t.Errorf("got %+v, %v", all, err)
	}
	if all, err := s.ChecksBefore(t.Context(), 3, 1); err != nil || len(all) != 1 || all[0].ID != 2 {
		t.Errorf("got %+v, %v", all, err)
	}
	if _, ok, err := s.Check(t.Context(), 77); ok || err != nil {
		t.Errorf("a check that never was: got %v, %v", ok, err)
	}
}

func TestOriginsAreToldApart(t *testing.T) {
	s := open(t, place(t))
	v := diff.Verdict{Release: "r1", Pages: 3, Started: minute(0), Origins: []diff.OriginVerdict{
		{Name: "a", Pages: 3, Match: 2, Differences: []diff.Difference{stale("x"), tolerated(stale("y"))}},
		{Name: "b", Pages: 3, Match: 3},
		{Name: "c", Err: errors.New("refused")},
	}}
	c, found := history.CheckOf(v)
	record(t, s, c, found)
	if got := say(episodesOf(t, s)); !slices.Equal(got, []string{"a stale ?-0 0-? 1", "c unreachable ?-0 0-? 3"}) {
		t.Errorf("got %q", got)
	}
	days, err := s.Days(t.Context(), minute(0))
	states := map[string][3]int{}
	for _, d := range days {
		states[d.Origin] = [3]int{d.Agreed, d.Drifted, d.Unreachable}
	}
	if want := map[string][3]int{"a": {0, 1, 0}, "b": {1, 0, 0}, "c": {0, 0, 1}}; err != nil || !maps.Equal(states, want) {
		t.Errorf("got %v, %v; want %v", states, err, want)
	}
}
