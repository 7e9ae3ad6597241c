package history_test

import (
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

func TestAnEpisodeIsOneRow(t *testing.T) {
	s := open(t, place(t))
	var changes [6]history.Changes
	for n, found := range [][]diff.Difference{nil, {stale("x")}, {stale("x")}, {stale("x"), stale("y")}, nil, {stale("x")}} {
		c, all := checked(n, found...)
		changes[n] = record(t, s, c, all)
	}
	for n, want := range [][3]int{{}, {1, 0, 0}, {}, {0, 1, 0}, {0, 0, 1}, {1, 0, 0}} {
		if c := changes[n]; [3]int{len(c.Opened), len(c.Changed), len(c.Closed)} != want {
			t.Errorf("check %d: got %+v, want %v opened, changed and closed", n, c, want)
		}
	}
	all, err := s.Episodes(t.Context(), history.EpisodeFilter{})
	if err != nil || len(all) != 2 {
		t.Fatalf("got %+v, %v; want two", all, err)
	}
	e := all[1]
	if !e.LastGood.Equal(minute(0)) || !e.Opened.Equal(minute(1)) || !e.LastSeen.Equal(minute(3)) || !e.Closed.Equal(minute(4)) || e.Pages != 2 || e.MostPages != 2 {
		t.Errorf("got %+v", e)
	}
	if e := all[0]; !e.LastGood.Equal(minute(4)) || !e.Closed.IsZero() || e.Pages != 1 || e.Release != "r0" {
		t.Errorf("got %+v", e)
	}
}
