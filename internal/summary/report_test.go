package summary_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/summary"
	"mirror/reports"
	"mirror/site"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func open(t *testing.T) *history.Store {
	t.Helper()
	s, err := history.Open(t.Context(), filepath.Join(t.TempDir(), history.Name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// look records a check of origins a and b, hours after noon; a serves stale pages where it
// says so.
func look(t *testing.T, s *history.Store, hours float64, stale bool) {
	t.Helper()
	at := noon.Add(time.Duration(hours * float64(time.Hour)))
	a := diff.OriginVerdict{Name: "a", URL: "https://a.example/", Pages: 2, Match: 2, Elapsed: 2 * time.Second, Facts: diff.Facts{Expires: noon.Add(30 * 24 * time.Hour)},
		Slowest: []diff.Slow{{Path: "x", Took: time.Duration(hours+50) * time.Millisecond}}}
	if stale {
		a.Match--
		a.Differences = []diff.Difference{{Path: "x", Kind: diff.Stale}}
	}
	b := diff.OriginVerdict{Name: "b", URL: "http://b.example/", Pages: 2, Match: 2}
	c, found := history.CheckOf(diff.Verdict{Release: "r1", Pages: 2, Started: at, Origins: []diff.OriginVerdict{a, b}})
	if _, err := s.RecordCheck(t.Context(), c, found); err != nil {
		t.Fatal(err)
	}
}

func of(t *testing.T, s *history.Store, since, until time.Time) reports.Period {
	t.Helper()
	p, err := summary.Of(t.Context(), s, since, until)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNothingIsKnown(t *testing.T) {
	p := of(t, open(t), noon, noon.Add(time.Hour))
	if !p.Empty() || p.Origins == nil || p.Episodes == nil || p.Publishes == nil || p.Days == nil || p.Slowest == nil {
		t.Errorf("got %+v; want empty lists, none null", p)
	}
}

func TestAPeriod(t *testing.T) {
	s := open(t)
	for n := -24; n <= 9; n++ { // drift from 2 to 4 hours after noon, and since 8
		look(t, s, float64(n), n == 2 || n == 3 || n == 8 || n == 9)
	}
	p := of(t, s, noon, noon.Add(10*time.Hour))
	if p.Checks != 10 || p.State != diff.Drifts || p.Release != "r1" || !p.Last.Equal(noon.Add(9*time.Hour)) || len(p.Origins) != 2 {
		t.Fatalf("got %+v", p)
	}
	a := p.Origins[0]
	// Of nine hours between checks: half an hour before 2, one to 3, half after, half before 8, one to 9.
	if got, want := a.Agreement.DriftedFor, reports.Millis(210*time.Minute); got != want {
		t.Errorf("drifted for %s, want %s", time.Duration(got), time.Duration(want))
	}
	if a.Agreement.Agreed != 6 || *a.Agreement.ByChecks != 0.6 || *a.Agreement.ByTime != 330.0/540 || *a.Agreement.Before != 1 {
		t.Errorf("got %+v", a.Agreement)
	}
	if a.Episodes != 2 || a.Open != 1 || time.Duration(*a.Longest) != time.Hour || *a.Certificate.DaysLeft != 29 || time.Duration(*a.Elapsed) != 2*time.Second {
		t.Errorf("got %+v", a)
	}
	if b := p.Origins[1]; *b.Agreement.ByTime != 1 || b.Episodes != 0 || b.Certificate != nil || b.State != diff.Agrees {
		t.Errorf("got %+v", b)
	}
	if len(p.Days) != 2 || p.Days[0].Origin != "a" || p.Days[0].Date != "2026-03-10" || p.Days[0].Drifted != 4 {
		t.Errorf("got %+v", p.Days)
	}
	if len(p.Slowest) != 1 || p.Slowest[0].Path != "x" || time.Duration(p.Slowest[0].Took) != 59*time.Millisecond {
		t.Errorf("got %+v", p.Slowest)
	}
}

func TestEpisodesOfAPeriod(t *testing.T) {
	s := open(t)
	for n := range 10 {
		look(t, s, float64(n), n == 2 || n == 3 || n == 8 || n == 9)
	}
	p := of(t, s, noon, noon.Add(10*time.Hour))
	if len(p.Episodes) != 2 || p.EpisodeCount != 2 {
		t.Fatalf("got %+v", p.Episodes)
	}
	open, closed := p.Episodes[0], p.Episodes[1]
	if open.Closed != nil || open.Upper != nil || time.Duration(open.Lower) != time.Hour || time.Duration(open.Lasted) != 2*time.Hour {
		t.Errorf("got %+v", open)
	}
	if closed.Closed == nil || time.Duration(closed.Lower) != time.Hour || time.Duration(*closed.Upper) != 3*time.Hour || time.Duration(closed.Lasted) != 2*time.Hour {
		t.Errorf("got %+v", closed)
	}
	if p := of(t, s, noon.Add(5*time.Hour), noon.Add(6*time.Hour)); len(p.Episodes) != 0 {
		t.Errorf("between two episodes: got %+v", p.Episodes)
	}
	if p := of(t, s, noon, noon.Add(150*time.Minute)); len(p.Episodes) != 1 || p.Episodes[0].Closed != nil {
		t.Errorf("in the middle of one: got %+v", p.Episodes)
	}
}

func TestAnOriginThatIsGone(t *testing.T) {
	s := open(t)
	look(t, s, 0, false)
	c := history.Check{Started: noon.Add(time.Hour), Origins: []diff.OriginState{{Name: "b", State: diff.Agrees}}}
	if _, err := s.RecordCheck(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	p := of(t, s, noon.Add(-time.Hour), noon.Add(2*time.Hour))
	if len(p.Origins) != 2 || p.Origins[0].Name != "b" || p.Origins[1].Name != "a" || p.Origins[1].State != "" || p.State != diff.Agrees {
		t.Errorf("got %+v", p.Origins)
	}
}

// window is one with bounds in seconds; upper 0 is open.
func window(lower, upper int) *diff.Window {
	return &diff.Window{Closed: upper > 0, Lower: time.Duration(lower) * time.Second, Upper: time.Duration(upper) * time.Second, Pages: 1}
}

func TestWindowsOfAPeriod(t *testing.T) {
	span := func(s *reports.OpenSpan) string {
		switch {
		case s == nil:
			return "none"
		case s.Upper == nil:
			return fmt.Sprint(time.Duration(s.Lower), "-")
		}
		return fmt.Sprint(time.Duration(s.Lower), "-", time.Duration(*s.Upper))
	}
	for name, c := range map[string]struct {
		before, now []*diff.Window
		want        string
		trend       string
	}{
		"none":                    {now: []*diff.Window{nil, {Closed: true}}, want: "null"},
		"one":                     {now: []*diff.Window{window(1, 2)}, want: "1/0 1s-2s 1s-2s 1s-2s none"},
		"bounds are sorted apart": {now: []*diff.Window{window(1, 9), window(2, 3), window(5, 6)}, want: "3/0 2s-6s 5s-9s 5s-9s none"},
		"one is open":             {now: []*diff.Window{window(1, 2), window(3, 0), window(2, 4)}, want: "3/1 2s-4s 3s- 3s- none"},
		"longer than before":      {before: []*diff.Window{window(1, 2)}, now: []*diff.Window{window(4, 6)}, want: "1/0 4s-6s 4s-6s 4s-6s 1s-2s", trend: "2s-5s"},
		"much as before":          {before: []*diff.Window{window(1, 5)}, now: []*diff.Window{window(4, 6)}, want: "1/0 4s-6s 4s-6s 4s-6s 1s-5s", trend: "-1s-5s"},
		"open before":             {before: []*diff.Window{window(1, 0)}, now: []*diff.Window{window(4, 6)}, want: "1/0 4s-6s 4s-6s 4s-6s 1s-"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			record := func(hours int, windows []*diff.Window) {
				for i, w := range windows {
					p := history.Publish{Started: noon.Add(time.Duration(hours)*time.Hour + time.Duration(i)*time.Minute), Outcome: "live", Window: w}
					if _, err := s.RecordPublish(t.Context(), p); err != nil {
						t.Fatal(err)
					}
				}
			}
			record(-2, c.before)
			record(1, c.now)
			record(7, []*diff.Window{window(100, 200)}) // after the period
			p := of(t, s, noon, noon.Add(6*time.Hour))
			got, trend := "null", ""
			if w := p.Windows; w != nil {
				got = fmt.Sprintf("%d/%d %s %s %s %s", w.Count, w.Open, span(&w.P50), span(&w.P95), span(&w.Max), span(w.Before))
				if w.Trend != nil {
					trend = fmt.Sprint(time.Duration(w.Trend.Lower), "-", time.Duration(w.Trend.Upper))
				}
			}
			if got != c.want || trend != c.trend || len(p.Publishes) != len(c.now) || p.PublishCount != len(c.now) {
				t.Errorf("got %s, trend %q, of %d; want %s, trend %q", got, trend, len(p.Publishes), c.want, c.trend)
			}
		})
	}
}

// TestStateAtTheEnd is the one that the last check before the end of the period saw, whatever
// later checks saw.
func TestStateAtTheEnd(t *testing.T) {
	s := open(t)
	for n := range 10 { // drift from 2 to 6 hours after noon
		look(t, s, float64(n), n >= 2 && n < 6)
	}
	for _, c := range []struct {
		hours float64 // from noon to the end of the period
		want  diff.State
	}{{-1, diff.Unknown}, {0, diff.Unknown}, {0.5, diff.Agrees}, {2, diff.Agrees}, {2.5, diff.Drifts}, {5.5, diff.Drifts}, {6.5, diff.Agrees}, {20, diff.Agrees}} {
		end := noon.Add(time.Duration(c.hours * float64(time.Hour)))
		p := of(t, s, end.Add(-time.Hour), end)
		if p.State != c.want || len(p.Origins) != 2 || p.Origins[0].Name != "a" || p.Origins[0].State != c.want {
			t.Errorf("%g hours after noon: %s, %+v; want %s", c.hours, p.State, p.Origins, c.want)
		}
		if known := p.Last != nil; known != (c.want != diff.Unknown) || known != (p.Release == "r1") || known && !p.Last.Before(end) {
			t.Errorf("%g hours after noon: last check %v, release %q", c.hours, p.Last, p.Release)
		}
		if c.want == diff.Unknown && !p.Empty() {
			t.Errorf("%g hours after noon: something is known: %+v", c.hours, p)
		}
	}
}

// TestLiveSince is not moved by later publishes of the same release.
func TestLiveSince(t *testing.T) {
	s := open(t)
	for i, p := range []history.Publish{
		{Outcome: "live", Release: "aa"}, {Outcome: "live", Release: "bb"}, {Outcome: "live", Release: "aa"}, {Outcome: "failed", Release: "bb"},
		{Outcome: "unchanged", Release: "aa"}, {Outcome: "diverged", Release: "aa"}, {Outcome: "live", Release: "aa"},
	} {
		p.Started = noon.Add(time.Duration(i) * time.Minute)
		if _, err := s.RecordPublish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for release, want := range map[site.ID]time.Time{"aa": noon.Add(2 * time.Minute), "bb": noon.Add(time.Minute)} {
		if _, at, err := summary.NewReader(s, time.Now).LiveSince(t.Context(), release); err != nil || at == nil || !at.Equal(want) {
			t.Errorf("%s is live since %v, want %v (%v)", release, at, want, err)
		}
	}
}

// TestRecovery is of the episodes that ended in the period, and of which both ends are bounded.
func TestRecovery(t *testing.T) {
	s := open(t)
	for n := range 20 { // drift from the first check to 1, from 3 to 4, from 8 to 11 and from 17 on
		look(t, s, float64(n), n < 1 || n == 3 || n >= 8 && n < 11 || n >= 17)
	}
	span := func(lower, upper float64) *reports.Span {
		return &reports.Span{Lower: reports.Millis(lower * float64(time.Hour)), Upper: reports.Millis(upper * float64(time.Hour))}
	}
	for name, c := range map[string]struct {
		from, to       float64 // hours after noon
		want           *reports.Recovery
		longest, upper float64 // in hours; upper 0 for none
	}{
		"none":                         {5, 7, nil, 0, 0},
		"all":                          {0, 20, &reports.Recovery{Episodes: 2, Open: 1, Unbounded: 1, Mean: span(1, 3)}, 2, 0},
		"whole ones":                   {1.5, 14, &reports.Recovery{Episodes: 2, Mean: span(1, 3)}, 2, 4},
		"cut at the end":               {1.5, 9.5, &reports.Recovery{Episodes: 1, Open: 1, Mean: span(0, 2)}, 1.5, 0},
		"begun before":                 {9.5, 14, &reports.Recovery{Episodes: 1, Mean: span(2, 4)}, 2, 4},
		"ends where the period does":   {5, 11, &reports.Recovery{Open: 1}, 2, 0},
		"ended where it begins":        {11, 12, &reports.Recovery{Episodes: 1, Mean: span(2, 4)}, 2, 4},
		"begun before the first check": {0, 2, &reports.Recovery{Unbounded: 1}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			at := func(hours float64) time.Time { return noon.Add(time.Duration(hours * float64(time.Hour))) }
			p := of(t, s, at(c.from), at(c.to))
			a := p.Origins[0]
			if !reflect.DeepEqual(p.Recovery, c.want) || !reflect.DeepEqual(a.Recovery, c.want) {
				t.Errorf("got %+v, and of a %+v; want %+v", p.Recovery, a.Recovery, c.want)
			}
			if c.want == nil {
				if a.Longest != nil || a.LongestUpper != nil {
					t.Errorf("got a longest of %v to %v of no episode", a.Longest, a.LongestUpper)
				}
				return
			}
			if a.Longest == nil || time.Duration(*a.Longest).Hours() != c.longest || (a.LongestUpper == nil) != (c.upper == 0) || a.LongestUpper != nil && time.Duration(*a.LongestUpper).Hours() != c.upper {
				t.Errorf("the longest is %v to %v, want %g to %g hours", a.Longest, a.LongestUpper, c.longest, c.upper)
			}
		})
	}
}
