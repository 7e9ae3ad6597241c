package history_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// slowly is a check of 12 pages, p00 to p11, that begins at a second and asks for one page a second. Each
// answer takes half a second. found names the kind of what differs at a page.
func slowly(second int, found map[int]diff.Kind) (history.Check, []diff.Difference) {
	start := minute(0).Add(time.Duration(second) * time.Second)
	o := diff.OriginVerdict{Name: "a", Pages: 12, Match: 12 - len(found)}
	for page := range 12 {
		asked := start.Add(time.Duration(page) * time.Second)
		answered := asked.Add(time.Second / 2)
		path := fmt.Sprintf("p%02d", page)
		o.Times.Looks.Note(page, 12, path, asked, answered)
		if kind, ok := found[page]; ok {
			o.Differences = append(o.Differences, diff.Difference{Path: path, Kind: kind, Asked: asked, Answered: answered})
		}
	}
	return history.CheckOf(diff.Verdict{Release: "r1", Pages: 12, Started: start, Elapsed: 12 * time.Second, Origins: []diff.OriginVerdict{o}})
}

// inSeconds shows the bounds of episodes in seconds: kind good-opened seen-closed.
func inSeconds(all []history.Episode) (lines []string) {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "?"
		}
		return fmt.Sprint(t.Sub(minute(0)).Seconds())
	}
	for _, e := range all {
		lines = append(lines, fmt.Sprintf("%s %s-%s %s-%s", e.Kind, at(e.LastGood), at(e.Opened), at(e.LastSeen), at(e.Closed)))
	}
	return lines
}

func TestBoundsAreOfTheRequestsForTheirPages(t *testing.T) {
	type found = map[int]diff.Kind
	for name, c := range map[string]struct {
		checks []found // one each 20 seconds
		want   []string
	}{
		"one page in one check":          {[]found{nil, {7: diff.Stale}, nil}, []string{"stale 7-27.5 27-47.5"}},
		"one page in two checks":         {[]found{nil, {7: diff.Stale}, {7: diff.Stale}, nil}, []string{"stale 7-27.5 47-67.5"}},
		"the first check":                {[]found{{7: diff.Stale}, nil}, []string{"stale ?-7.5 7-27.5"}},
		"several pages":                  {[]found{nil, {3: diff.Stale, 9: diff.Stale}, nil}, []string{"stale 3-23.5 29-49.5"}},
		"another page later":             {[]found{nil, {9: diff.Stale}, {3: diff.Stale}, nil}, []string{"stale 9-29.5 43-63.5"}},
		"two kinds":                      {[]found{nil, {3: diff.Stale, 9: diff.Missing}, nil}, []string{"missing 9-29.5 29-49.5", "stale 3-23.5 23-43.5"}},
		"again at once":                  {[]found{nil, {7: diff.Stale}, nil, {7: diff.Stale}}, []string{"stale 7-27.5 27-47.5", "stale 47-67.5 67-?"}},
		"another page could not be told": {[]found{nil, {7: diff.Stale}, {3: diff.Unreachable}, {3: diff.Stale}}, []string{"stale 7-27.5 27-47.5", "unreachable 23-43.5 43-63.5", "stale 23-63.5 63-?"}},
		"a page that never answered":     {[]found{{3: diff.Unreachable}, {3: diff.Unreachable, 7: diff.Stale}, {3: diff.Stale}}, []string{"unreachable ?-3.5 23-43.5", "stale 7-27.5 43-?"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, place(t))
			for n, f := range c.checks {
				check, all := slowly(20*n, f)
				record(t, s, check, all)
			}
			got := inSeconds(episodesOf(t, s))
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestBoundsOfAnOriginThatIsDown has an origin answer 4 of 12 pages, and then nothing.
func TestBoundsOfAnOriginThatIsDown(t *testing.T) {
	s := open(t, place(t))
	c, all := slowly(0, nil)
	record(t, s, c, all)
	at := func(second float64) time.Time { return minute(0).Add(time.Duration(second * float64(time.Second))) }
	down := diff.OriginVerdict{Name: "a", Pages: 12, Match: 4, Err: errors.New("connection refused")}
	down.Times = diff.Times{ErrAsked: at(29), ErrAnswered: at(24.5)}
	for page := range 10 {
		down.Times.Looks.Note(page, 12, fmt.Sprintf("p%02d", page), at(float64(20+page)), at(20.5+float64(page)))
	}
	c, all = history.CheckOf(diff.Verdict{Release: "r1", Pages: 12, Started: at(20), Origins: []diff.OriginVerdict{down}})
	record(t, s, c, all)
	c, all = slowly(40, nil)
	record(t, s, c, all)
	if got := inSeconds(episodesOf(t, s)); !slices.Equal(got, []string{"unreachable 0-24.5 29-51.5"}) {
		t.Errorf("got %q", got)
	}
}

// TestBoundsOfManyPages has more pages than there is room for: neighbours share their bounds.
func TestBoundsOfManyPages(t *testing.T) {
	const pages = 20_000
	s := open(t, place(t))
	at := func(page int) time.Time { return minute(0).Add(time.Duration(page) * time.Millisecond) }
	check := func(start int, found ...int) {
		o := diff.OriginVerdict{Name: "a", Pages: pages}
		for page := range pages {
			o.Times.Looks.Note(page, pages, fmt.Sprintf("p%06d%0300d", page, 0), at(start+page), at(start+page))
		}
		for _, page := range found {
			path := fmt.Sprintf("p%06d%0300d", page, 0)
			o.Differences = append(o.Differences, diff.Difference{Path: path, Kind: diff.Stale, Asked: at(start + page), Answered: at(start + page)})
		}
		c, all := history.CheckOf(diff.Verdict{Release: "r1", Pages: pages, Started: at(start), Origins: []diff.OriginVerdict{o}})
		record(t, s, c, all)
	}
	check(0)
	check(40_000, 14_000)
	check(80_000)
	e := episodesOf(t, s)[0]
	share := time.Duration(pages/64+1) * time.Millisecond
	if e.LastGood.After(at(14_000)) || e.LastGood.Before(at(14_000).Add(-share)) || !e.Opened.Equal(at(54_000)) {
		t.Errorf("began between %v and %v", e.LastGood, e.Opened)
	}
	if e.Closed.Before(at(94_000)) || e.Closed.After(at(94_000).Add(share)) || !e.LastSeen.Equal(at(54_000)) {
		t.Errorf("ended between %v and %v", e.LastSeen, e.Closed)
	}
	if size, err := s.Size(); err != nil || size > 1<<20 {
		t.Errorf("the history has %d bytes, %v", size, err)
	}
}
