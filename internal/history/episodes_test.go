package history_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

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

// play records checks, one a minute, and returns the episodes in the order of opening.
func play(t *testing.T, s *history.Store, checks ...[]diff.Difference) []history.Episode {
	t.Helper()
	for n, found := range checks {
		c, all := checked(n, found...)
		record(t, s, c, all)
	}
	return episodesOf(t, s)
}

func episodesOf(t *testing.T, s *history.Store) []history.Episode {
	t.Helper()
	all, err := s.Episodes(t.Context(), history.EpisodeFilter{})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all)
	return all
}

// say shows episodes as the minutes of their bounds: kind good-opened seen-closed.
func say(all []history.Episode) (lines []string) {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "?"
		}
		return fmt.Sprint(int(t.Sub(minute(0)) / time.Minute))
	}
	for _, e := range all {
		lines = append(lines, fmt.Sprintf("%s %s %s-%s %s-%s %d", e.Origin, e.Kind, at(e.LastGood), at(e.Opened), at(e.LastSeen), at(e.Closed), e.Pages))
	}
	return lines
}

// down is the whole origin unreachable, in minute n.
func down(n int) (history.Check, []diff.Difference) {
	o := diff.OriginVerdict{Name: "a", URL: "https://a.example/", Err: errors.New("connection refused")}
	return history.CheckOf(diff.Verdict{Release: "r1", Pages: 100, Started: minute(n), Origins: []diff.OriginVerdict{o}})
}

func tolerated(d diff.Difference) diff.Difference {
	d.Tolerated = "a rule"
	return d
}

// TestNeverAFalseCalm goes through what does not end an episode.
func TestNeverAFalseCalm(t *testing.T) {
	many := make([]diff.Difference, 1500)
	for i := range many {
		many[i] = stale(fmt.Sprintf("p%04d", i))
	}
	for name, story := range map[string]struct {
		before, after []diff.Difference
		partial, down bool
		err           string
		want          []string
	}{
		"all is well":                           {before: []diff.Difference{stale("x")}, want: []string{"a stale 0-1 1-2 1"}},
		"the origin is down":                    {before: []diff.Difference{stale("x")}, down: true, want: []string{"a stale 0-1 1-? 1", "a unreachable 1-2 2-? 100"}},
		"no verdict":                            {before: []diff.Difference{stale("x")}, err: "interrupted", want: []string{"a stale 0-1 1-? 1"}},
		"a sample":                              {before: []diff.Difference{stale("x")}, partial: true, want: []string{"a stale 0-1 1-? 1"}},
		"its page is silent":                    {before: []diff.Difference{stale("x")}, after: []diff.Difference{silent("x")}, want: []string{"a stale 0-1 1-? 1", "a unreachable 1-2 2-? 1"}},
		"its page is silent, which is let pass": {before: []diff.Difference{stale("x")}, after: []diff.Difference{tolerated(silent("x"))}, want: []string{"a stale 0-1 1-? 1"}},
		"another page is silent":                {before: []diff.Difference{stale("x")}, after: []diff.Difference{silent("y")}, want: []string{"a stale 0-1 1-2 1", "a unreachable 1-2 2-? 1"}},
		"one of very many pages is silent":      {before: many, after: []diff.Difference{silent("p1400")}, want: []string{"a stale 0-1 1-? 1500", "a unreachable 1-2 2-? 1"}},
		"every page is silent":                  {before: []diff.Difference{stale("x")}, after: []diff.Difference{silent("*")}, want: []string{"a stale 0-1 1-? 1", "a unreachable 1-2 2-? 100"}},
		"silence goes on, let pass":             {before: []diff.Difference{silent("x")}, after: []diff.Difference{tolerated(silent("x"))}, want: []string{"a unreachable 0-1 1-? 1"}},
		"it is let pass":                        {before: []diff.Difference{stale("x")}, after: []diff.Difference{tolerated(stale("x"))}, want: []string{"a stale 0-1 1-2 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, place(t))
			play(t, s, nil, story.before)
			c, all := checked(2, story.after...)
			if story.down {
				c, all = down(2)
			}
			c.Partial, c.Err = story.partial, story.err
			record(t, s, c, all)
			if got := say(episodesOf(t, s)); !slices.Equal(got, story.want) {
				t.Errorf("got %q, want %q", got, story.want)
			}
		})
	}
}

func TestAnEpisodeBeginsAfterTheLastCheckThatCouldTell(t *testing.T) {
	s := open(t, place(t))
	play(t, s, nil, []diff.Difference{silent("y")}, []diff.Difference{silent("y"), stale("x")}, []diff.Difference{silent("z")})
	c, found := checked(4, stale("x"))
	record(t, s, c, found)
	// x and z share a look: whether x was right in minute 3 is not known of it alone.
	want := []string{"a unreachable 0-1 3-4 1", "a stale 0-2 2-3 1", "a stale 0-4 4-? 1"}
	if got := say(episodesOf(t, s)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAClockThatGoesBack(t *testing.T) {
	s := open(t, place(t))
	for _, n := range []int{10, 3, 2, 12} {
		var found []diff.Difference
		if n == 3 {
			found = []diff.Difference{stale("x")}
		}
		c, all := checked(n, found...)
		record(t, s, c, all)
	}
	if got := say(episodesOf(t, s)); !slices.Equal(got, []string{"a stale 10-10 10-10 1"}) {
		t.Errorf("got %q: an episode may not end before it begins", got)
	}
}

func TestWhatAnEpisodeKeeps(t *testing.T) {
	s := open(t, place(t))
	var found []diff.Difference
	for i := range 50 {
		found = append(found, stale(fmt.Sprintf("%02d\xff", i)))
	}
	found[0].Excerpt, found[0].Detail = "-a\n+b", "one\x00behind"
	all := play(t, s, found, found[:1])
	if len(all) != 1 || len(all[0].Paths) != 1 || all[0].Pages != 1 || all[0].MostPages != 50 || all[0].Paths[0] != "00\xff" {
		t.Fatalf("got %+v", all)
	}
	e := all[0]
	if e.Release != "r0" || e.Detail != "one\uFFFDbehind" || e.Excerpt != "-a\n+b" || e.URL == "" || !e.LastGood.IsZero() {
		t.Errorf("got %+v", e)
	}
	if got, ok, err := s.Episode(t.Context(), e.ID); err != nil || !ok || !reflect.DeepEqual(got, e) {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
	play(t, s, found)
	if e, _, err := s.Episode(t.Context(), e.ID); err != nil || len(e.Paths) != 20 || e.Pages != 50 {
		t.Errorf("got %d paths of %d, %v; want the first 20", len(e.Paths), e.Pages, err)
	}
}

func TestEpisodesOfOriginsThatAreGone(t *testing.T) {
	s := open(t, place(t))
	play(t, s, []diff.Difference{stale("x")})
	stay := func(string) bool { return true }
	if closed, err := s.CloseEpisodes(t.Context(), minute(1), stay); err != nil || len(closed) != 0 {
		t.Errorf("got %+v, %v; want none", closed, err)
	}
	closed, err := s.CloseEpisodes(t.Context(), minute(1), func(name string) bool { return name != "a" })
	if err != nil || !slices.Equal(say(closed), []string{"a stale ?-0 0-1 1"}) {
		t.Errorf("got %q, %v", say(closed), err)
	}
	if got := say(episodesOf(t, s)); !slices.Equal(got, say(closed)) {
		t.Errorf("got %q", got)
	}
}

func TestEpisodeFilter(t *testing.T) {
	s := open(t, place(t))
	play(t, s, []diff.Difference{stale("x")}, nil, nil, []diff.Difference{stale("x")})
	for _, c := range []struct {
		filter history.EpisodeFilter
		want   []int64
	}{
		{history.EpisodeFilter{}, []int64{2, 1}},
		{history.EpisodeFilter{Open: true}, []int64{2}},
		{history.EpisodeFilter{Since: minute(2)}, []int64{2}},
		{history.EpisodeFilter{Since: minute(1)}, []int64{2, 1}},
		{history.EpisodeFilter{Before: 2}, []int64{1}},
		{history.EpisodeFilter{Limit: 1}, []int64{2}},
		{history.EpisodeFilter{Origin: "a"}, []int64{2, 1}},
		{history.EpisodeFilter{Origin: "b"}, nil},
	} {
		all, err := s.Episodes(t.Context(), c.filter)
		var got []int64
		for _, e := range all {
			got = append(got, e.ID)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v, %v; want %v", c.filter, got, err, c.want)
		}
	}
}
