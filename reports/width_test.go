package reports_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"mirror/diff"
	"mirror/reports"
	"mirror/site"
)

// wide is what needs room: long names, paths in CJK, rules for where a page leads.
func wide() diff.Verdict {
	v := nasty()
	v.Origins[0].Name = "a-rather-long-name-of-an-origin-34"
	v.Origins[1].Differences = append(v.Origins[1].Differences,
		diff.Difference{Origin: v.Origins[0].Name, Path: strings.Repeat("文章", 40) + "/你好.html", Kind: diff.Unreachable, Detail: "timed out after 10s"},
		diff.Difference{Origin: "镜像", Path: "old/", Kind: diff.Redirected, Status: 301, Detail: "answered 301, away to the host evil.example",
			Location: "https://evil.example/" + strings.Repeat("very-long-", 12) + "/?next=" + strings.Repeat("a", 60)},
	)
	return v
}

// texts are all texts for people that have tables in them.
func texts() map[string]func(io.Writer, reports.Style) error {
	v := wide()
	check := reports.CheckOf(v)
	id, at := v.Release, v.Started
	long := v.Origins[0].Name
	publish := reports.Publish{Outcome: "live", Release: id, Check: &check, Targets: []reports.PublishTarget{
		{Name: long, Type: "s3", From: id, To: id, Add: 10412, Change: 10040, Delete: 10003, Same: 10149, SentBytes: 812345, Stage: reports.Millis(time.Second), Commit: reports.Millis(time.Minute), Committed: &at},
		{Name: "镜像", Type: "git", From: id, To: id, Error: "refused"},
	}}
	plan := reports.Plan{Release: id, Targets: []reports.PlanTarget{
		{Name: long, From: id, Add: []string{strings.Repeat("文章/", 60) + "a.html"}, Change: []string{"b.html"}, Same: 3, Bytes: 99},
	}, Order: []reports.PlanStep{{Name: long, Reason: "its lag is 12s at most, as measured over the last 20 publishes, and so it goes first of all"}}}
	window := reports.WindowOf(diff.Window{Pages: 2, Origins: []diff.OriginWindow{
		{Name: long, FirstNew: diff.Bounds{After: at, Before: at.Add(time.Second)}, AllNew: diff.Bounds{After: at, Before: at.Add(time.Minute)}, Behind: &diff.Bounds{After: at}, Polls: 9, Open: []string{"a"}},
	}})
	history := reports.History{
		Releases: []reports.HistoryRelease{{Release: id, Published: at, Files: 12, Bytes: 99}},
		Checks: []reports.HistoryCheck{{Started: at, Release: id, Pages: 9, State: diff.Drifts, Job: "every-quarter-of-an-hour", Origins: []reports.OriginStatus{
			{Origin: reports.Origin{Name: long, State: diff.Drifts, Counts: map[diff.Kind]int{diff.Stale: 120, diff.Altered: 3, diff.Redirected: 4, diff.Unreachable: 9}}},
		}}},
		Runs: []reports.HistoryRun{{Job: "every-quarter-of-an-hour", Started: at, Outcome: "failed", Error: strings.Repeat("很长的错误", 30)}},
	}
	return map[string]func(io.Writer, reports.Style) error{
		"check": check.Text, "publish": publish.Text, "plan": plan.Text, "window": window.Text, "history": history.Text, "period": week().Text,
		"agree":    reports.CheckOf(agreeing()).Text,
		"watching": reports.Watching{Origins: []reports.WatchingOrigin{{Name: long, Release: id, New: 3, All: 9}, {Name: "镜像"}}}.Text,
		"demo":     reports.Demo{Steps: []reports.DemoStep{{Name: "publish v1", Detail: strings.Repeat("what was seen ", 20)}}}.Text,
	}
}

// TestNothingIsWiderThanTheTerminal measures every line in cells.
func TestNothingIsWiderThanTheTerminal(t *testing.T) {
	for name, write := range texts() {
		for _, width := range []int{40, 60, 61, 62, 63, 64, 65, 66, 67, 80, 100, 120, 200} {
			for _, color := range []bool{false, true} {
				var b bytes.Buffer
				if err := write(&b, reports.Style{Lines: true, Color: color, Width: width, Verbose: true}); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(b.String()) {
					if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##") {
						t.Errorf("%s at %d: a runner would obey %q", name, width, line)
					}
					if got := twwidth.Width(strings.TrimSuffix(line, "\n")); got > width {
						t.Errorf("%s at %d: %d cells: %s", name, width, got, line)
					}
				}
			}
		}
	}
}

// TestShortCellsStayWhole has a table with one long text at its end, at every width.
func TestShortCellsStayWhole(t *testing.T) {
	v := agreeing()
	v.Release = site.None
	detail := strings.TrimSpace(strings.Repeat("one two ", 20))
	for i := range v.Origins {
		v.Origins[i].Release = site.None
		v.Origins[i].Name = fmt.Sprintf("127.0.0.1:730%d", i)
		v.Origins[i].Differences = []diff.Difference{{Origin: v.Origins[i].Name, Path: "about/index.html", Kind: diff.Unreachable, Detail: detail}}
	}
	row := regexp.MustCompile(`(?m)^ ?127\.0\.0\.1:7301 +unreachable +about/index\.html +one two`)
	for width := 60; width <= 180; width++ {
		var b bytes.Buffer
		if err := reports.CheckOf(v).Text(&b, reports.Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if !row.MatchString(text) {
			t.Fatalf("at %d:\n%s", width, text)
		}
		if strings.Contains(text, "\n\n") || strings.Contains(text, "\n \n") {
			t.Fatalf("at %d: an empty line:\n%s", width, text)
		}
		if short := width - longest(text); short > len("one two ")+2 {
			t.Fatalf("at %d: %d cells are left:\n%s", width, short, text)
		}
	}
}

func longest(text string) (n int) {
	for line := range strings.Lines(text) {
		n = max(n, len(strings.TrimRight(line, " \n")))
	}
	return n
}

// TestNarrowTablesSayEverything has no room for columns, and loses nothing.
func TestNarrowTablesSayEverything(t *testing.T) {
	v := agreeing()
	v.Origins[0].Name = "a-rather-long-name-of-an-origin-34"
	v.Origins[1].Err = errors.New("refused")
	var b bytes.Buffer
	if err := reports.CheckOf(v).Text(&b, reports.Style{Width: 60}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a-rather-long-name-of-an-origin-34", "abababababab", "1204/1204", "36.4MiB", "unreachable", "640ms"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, &b)
		}
	}
}
