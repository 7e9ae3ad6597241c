package reports_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"mirror/diff"
	"mirror/reports"
	"mirror/reports/formats"
	"mirror/site"
)

func ptr[T any](v T) *T { return &v }

func hours(n float64) reports.Millis { return reports.Millis(n * float64(time.Hour)) }

// week is a report with everything in it, and texts that an enemy chose.
func week() reports.Period {
	since := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	until := since.Add(7 * 24 * time.Hour)
	id := site.ID(strings.Repeat("ab", 32))
	expires := until.Add(10 * 24 * time.Hour)
	window := reports.WindowOf(diff.Window{Closed: true, Lower: 3 * time.Second, Upper: 95 * time.Second, Pages: 52, Origins: []diff.OriginWindow{
		{Name: "pages", FirstNew: diff.Bounds{After: since, Before: since.Add(time.Second)}, AllNew: diff.Bounds{After: since, Before: since.Add(time.Minute)}, Polls: 9},
	}})
	p := reports.Period{
		Schema: "mirror.report/v1", Since: since, Until: until, Checks: 672, Failed: 1, Last: ptr(until.Add(-time.Minute)), Release: id, State: diff.Drifts,
		Agreement: reports.Agreement{Checks: 672, Agreed: 640, Drifted: 30, Unreachable: 2, ByChecks: ptr(640.0 / 672), ByTime: ptr(0.95234), Before: ptr(0.99999)},
		Origins: []reports.PeriodOrigin{
			{
				Name: "pages", URL: "https://me.example/", State: diff.Agrees, Release: id, Pages: 1204, Match: 1204, Elapsed: ptr(reports.Millis(812400 * time.Microsecond)),
				Agreement:   reports.Agreement{Checks: 672, Agreed: 672, ByChecks: ptr(1.0), ByTime: ptr(1.0), AgreedFor: hours(168)},
				Certificate: reports.CertificateOf(expires, until),
			},
			{
				Name: "镜像|`x`", URL: "https://b.example/", State: diff.Drifts, Pages: 1204, Match: 1202, Elapsed: ptr(reports.Millis(61 * time.Second)), Episodes: 3, Open: 1, Longest: ptr(hours(5)), Recovery: &reports.Recovery{Open: 1, Unbounded: 2},
				Agreement: reports.Agreement{Checks: 672, Agreed: 640, Drifted: 30, Unreachable: 2, ByChecks: ptr(640.0 / 672), ByTime: ptr(0.999999), Before: ptr(0.5), DriftedFor: hours(7.5), UnreachableFor: hours(0.5)},
			},
			{Name: "image", State: diff.CannotBeSeen, Error: "connection refused\r\n::error::fake"},
			{Name: "gone"},
		},
		EpisodeCount: 33, PublishCount: 2,
		Recovery: &reports.Recovery{Episodes: 31, Open: 1, Unbounded: 1, Mean: &reports.Span{Lower: reports.Millis(time.Minute), Upper: reports.Millis(4*time.Minute + time.Microsecond)}},
		Episodes: []reports.PeriodEpisode{
			{ID: 7, Origin: "镜像|`x`", Kind: diff.Stale, LastGood: ptr(since), Opened: since.Add(time.Hour), LastSeen: until, Lasted: hours(167), Lower: hours(167), Pages: 2, MostPages: 3, Paths: []string{"文章/你好.html", "a.html"}, Release: id, Detail: "1 behind"},
			{ID: 6, Origin: "image", Kind: diff.Unreachable, Opened: since.Add(time.Hour), LastSeen: since.Add(2 * time.Hour), Closed: ptr(since.Add(3 * time.Hour)), Lasted: hours(2), Lower: hours(1), Pages: 1204, MostPages: 1204, Paths: []string{"*"}, Detail: "timeout"},
			{ID: 5, Origin: "pages", Kind: diff.Redirected, LastGood: ptr(since), Opened: since.Add(time.Minute), LastSeen: since.Add(2 * time.Minute), Closed: ptr(since.Add(3 * time.Minute)), Lower: reports.Millis(time.Minute), Upper: ptr(reports.Millis(3*time.Minute + 30*time.Second)), Pages: 1, MostPages: 1, Paths: []string{"a\x1b[31m\n|<b>\u202e @all #1.html"}, Detail: "answered 301"},
		},
		Publishes: []reports.PeriodPublish{
			{ID: 2, Started: since, Elapsed: reports.Millis(12 * time.Second), Outcome: "live", Release: id, Files: 1204, Bytes: 812345, Window: &window},
			{ID: 1, Started: since, Outcome: "rolled_back", Release: id, Job: "=cmd()", Error: "refused"},
		},
		Windows: &reports.PeriodWindows{
			Count: 3, Open: 1, P50: reports.OpenSpan{Lower: reports.Millis(3 * time.Second), Upper: ptr(reports.Millis(95 * time.Second))},
			P95: reports.OpenSpan{Lower: reports.Millis(10 * time.Minute)}, Max: reports.OpenSpan{Lower: reports.Millis(10 * time.Minute)},
			Before: &reports.OpenSpan{Lower: reports.Millis(time.Second), Upper: ptr(reports.Millis(2 * time.Second))},
			Trend:  &reports.Span{Lower: reports.Millis(time.Second), Upper: reports.Millis(94 * time.Second)},
		},
		Slowest: []reports.PeriodSlow{{Origin: "镜像|`x`", Path: "=文章.html", Took: reports.Millis(2400 * time.Millisecond), At: since.Add(time.Hour), Times: 4}},
	}
	for i := range 8 {
		for _, o := range []string{"pages", "镜像|`x`"} {
			d := reports.PeriodDay{Date: since.AddDate(0, 0, i).Format(time.DateOnly), Origin: o, Checks: 96, Agreed: 96, ByTime: ptr(1.0), ByChecks: ptr(1.0), Pages: 96 * 1204, Matched: 96 * 1204, Elapsed: ptr(reports.Millis(time.Second))}
			switch {
			case o == "pages" && i == 3:
				continue
			case o != "pages" && i == 2:
				d.Agreed, d.Drifted, d.ByTime, d.ByChecks = 90, 6, ptr(90.0/96), ptr(90.0/96)
			case o != "pages" && i == 4:
				d.Agreed, d.Unreachable, d.ByTime, d.ByChecks = 94, 2, nil, ptr(94.0/96)
			}
			p.Days = append(p.Days, d)
		}
	}
	return p
}

// textForms are the forms of a period that are no HTML: that is made by a package with tests of
// its own.
func textForms() []formats.Format[reports.Period] {
	return slices.DeleteFunc(formats.Period(), func(f formats.Format[reports.Period]) bool { return f.Name == "html" })
}

func TestPeriodGolden(t *testing.T) {
	extension := map[string]string{"text": "txt", "json": "json", "markdown": "md", "csv": "csv"}
	empty := reports.Period{Schema: "mirror.report/v1", Since: week().Since, Until: week().Until}
	for name, p := range map[string]reports.Period{"period": week(), "period-empty": empty} {
		for _, f := range textForms() {
			var b bytes.Buffer
			if err := f.Write(p, &b, reports.Style{}); err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+extension[f.Name], b.Bytes())
		}
	}
	var wide bytes.Buffer
	if err := week().Text(&wide, reports.Style{Lines: true, Color: true, Width: 140}); err != nil {
		t.Fatal(err)
	}
	golden(t, "period-terminal.txt", wide.Bytes())
}

// TestPeriodIsSafe wants no control characters, no commands of CI runners and no markup of
// others in what people see.
func TestPeriodIsSafe(t *testing.T) {
	for _, f := range textForms() {
		var b bytes.Buffer
		if err := f.Write(week(), &b, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, bad := range []string{"\x1b", "\u202e", "\n::error", "\r::"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: contains %q", f.Name, bad)
			}
		}
		if f.Name == "markdown" && (strings.Contains(text, "<b>") || strings.Contains(text, "@all") || strings.Contains(text, "镜像|")) {
			t.Errorf("markdown: a name is markup:\n%s", text)
		}
		if !utf8.ValidString(text) {
			t.Errorf("%s: is no UTF-8", f.Name)
		}
	}
}

func TestPeriodIsReadable(t *testing.T) {
	var b bytes.Buffer
	if err := reports.JSON(&b, week()); err != nil {
		t.Fatal(err)
	}
	var got reports.Period
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || !reflect.DeepEqual(got, week()) {
		t.Errorf("JSON comes back as another report (%v):\n%+v\n%+v", err, got, week())
	}
	b.Reset()
	if err := week().CSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 1+len(week().Days) {
		t.Errorf("got %d rows, %v", len(rows), err)
	}
}

// TestSharesAreNeverFlattered wants 100 % only for all of it.
func TestSharesAreNeverFlattered(t *testing.T) {
	for share, want := range map[float64]string{1: " 100% ", 0.9999999: " 99.99% ", 0.5: " 50% ", 0: " 0% ", 0.00001: " 0% ", 0.123456: " 12.34% "} {
		p := reports.Period{Origins: []reports.PeriodOrigin{{Name: "a", Agreement: reports.Agreement{ByTime: &share}}}}
		var b bytes.Buffer
		if err := p.Text(&b, reports.Style{}); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%g: want %q in\n%s (%v)", share, want, b.String(), err)
		}
	}
}

func TestManyEpisodesAreBounded(t *testing.T) {
	p := week()
	for i := range 2000 {
		e := p.Episodes[2]
		e.ID, e.Detail = int64(i), strings.Repeat("<", 5000)
		p.Episodes = append(p.Episodes, e)
	}
	p.EpisodeCount = len(p.Episodes)
	for _, f := range textForms()[:3] {
		var b bytes.Buffer
		if err := f.Write(p, &b, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		if f.Name != "json" && (b.Len() > 200_000 || !strings.Contains(b.String(), "and 1973 more")) {
			t.Errorf("%s: got %d bytes", f.Name, b.Len())
		}
	}
}

func TestHistoryGolden(t *testing.T) {
	at := func(minutes int) time.Time { return week().Since.Add(time.Duration(minutes) * time.Minute) }
	h := reports.History{
		Schema: "mirror.history/v1", Publishes: week().Publishes, Episodes: week().Episodes, Limit: 4,
		Releases: []reports.HistoryRelease{{Release: week().Release, Published: at(0), Files: 1204, Bytes: 38211044}, {Release: week().Release, Files: 1}},
		Runs: []reports.HistoryRun{
			{Job: "drift", Slot: at(5), Started: at(5)},
			{Job: "nightly", Slot: at(0), Started: at(0), Triggered: true, Elapsed: hours(0.1), Outcome: "failed", Error: "no\nsite"},
		},
	}
	for n := 60; n > 0; n -= 15 {
		c := reports.HistoryCheck{ID: int64(n), Started: at(n), Job: "drift", Release: week().Release, Pages: 1204, State: diff.Agrees, Origins: []reports.OriginStatus{reports.OriginStatusOf(diff.OriginState{Name: "pages", State: diff.Agrees}, at(n))}}
		if n == 15 {
			c.State, c.Partial = diff.Drifts, true
			c.Origins = append(c.Origins, reports.OriginStatusOf(diff.OriginState{Name: "镜像", State: diff.Drifts, Counts: map[diff.Kind]int{diff.Stale: 2}}, at(n)),
				reports.OriginStatusOf(diff.OriginState{Name: "image", State: diff.CannotBeSeen, Err: "refused\x1b[2J"}, at(n)))
		}
		h.Checks = append(h.Checks, c)
	}
	h.Checks = append(h.Checks, reports.HistoryCheck{Started: at(-1), Error: "interrupted"})
	var text, js bytes.Buffer
	if err := h.Text(&text, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	if err := reports.JSON(&js, h); err != nil {
		t.Fatal(err)
	}
	golden(t, "history.txt", text.Bytes())
	golden(t, "history.json", js.Bytes())
	if n := strings.Count(text.String(), "3 checks"); n != 1 {
		t.Errorf("three checks that found the same are %d rows of three:\n%s", n, text.String())
	}
	var none bytes.Buffer
	if err := (reports.History{}).Text(&none, reports.Style{}); err != nil || !strings.Contains(fmt.Sprint(none.String()), "The history is empty") {
		t.Errorf("got %q, %v", none.String(), err)
	}
}
