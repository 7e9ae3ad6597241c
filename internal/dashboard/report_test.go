package dashboard_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/browser"
	"mirror/internal/longtest"
	"mirror/reports"
	"mirror/reports/html"
)

// month is a period with something of everything.
func month(text string) reports.Period {
	since, opened := noon().AddDate(0, 0, -7), noon().Add(-3*time.Hour)
	window := reports.WindowOf(*window(opened))
	part, longest := 0.99954, reports.Millis(2*time.Hour)
	a := reports.Agreement{Checks: 672, Agreed: 671, Drifted: 1, ByTime: &part}
	return reports.Period{
		Schema: "mirror.report/v1", Since: since, Until: noon(), Checks: 672, Last: &opened, Release: release(3), State: diff.Drifts, Agreement: a,
		Origins: []reports.PeriodOrigin{
			{Name: "pages", URL: "https://me.github.io/", State: diff.Agrees, Agreement: a},
			{Name: "bucket" + text, URL: "javascript:alert(1)", State: diff.Drifts, Error: text, Agreement: a, Episodes: 1, Open: 1, Longest: &longest},
		},
		Episodes: []reports.PeriodEpisode{{ID: 1, Origin: "bucket" + text, Kind: diff.Stale, Opened: opened, LastSeen: noon(), MostPages: 2,
			Paths: []string{"index.html" + text}, Detail: "1 behind" + text, Excerpt: "-<b>old</b>\n+<b>new</b>" + text}},
		EpisodeCount: 1,
		Publishes:    []reports.PeriodPublish{{ID: 3, Started: opened, Elapsed: reports.Millis(9 * time.Second), Outcome: "live", Release: release(3), Window: &window, Job: text}},
		PublishCount: 1,
		Windows: &reports.PeriodWindows{Count: 1, P50: reports.OpenSpan{Lower: window.Lower, Upper: window.Upper},
			P95: reports.OpenSpan{Lower: window.Lower, Upper: window.Upper}, Max: reports.OpenSpan{Lower: window.Lower}},
		Slowest: []reports.PeriodSlow{{Origin: "bucket", Path: "slow.html" + text, Took: reports.Millis(412 * time.Millisecond)}},
		Days:    []reports.PeriodDay{{Date: "2026-11-22", Origin: "pages", Checks: 96, Agreed: 95, Drifted: 1}},
	}
}

func report(t *testing.T, p reports.Period) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Report(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAReportSaysHowThePeriodWas(t *testing.T) {
	text := report(t, month(""))
	for _, want := range []string{
		"All origins agreed for 99.95 % of the time, and not at its end", "bucket", "1 episode, 1 open", "2 h", "1 behind", `<span class="del">-&lt;b&gt;old&lt;/b&gt;</span>`,
		"3.10 s to 3.90 s", "at least 3.10 s", "at most 3.90 s", "slow.html", "412 ms", "agreed in 95 of 96 checks, drifted in 1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if empty := report(t, reports.Period{Since: noon().AddDate(0, 0, -7), Until: noon()}); !strings.Contains(empty, "Nothing is known of this time") {
		t.Error("an empty period is not said to be one")
	}
}

// TestAReportFoldsLongLists keeps the first rows in sight.
func TestAReportFoldsLongLists(t *testing.T) {
	p := month("")
	for range 39 {
		p.Episodes = append(p.Episodes, p.Episodes[0])
		p.Publishes = append(p.Publishes, p.Publishes[0])
	}
	text := report(t, p)
	for _, want := range []string{"<summary>30 more episodes</summary>", "<summary>30 more publishes</summary>", "<summary>How it differs</summary>"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if strings.Contains(report(t, month("")), "more episode") {
		t.Error("a short list is folded")
	}
}

func TestAReportNeedsNothingElse(t *testing.T) {
	text := report(t, month(hostile()))
	inspect(t, "the report", text)
	for _, no := range []string{"<link", "<script", "<a ", "@import", "url("} {
		if strings.Contains(text, no) {
			t.Errorf("there is %q in it", no)
		}
	}
}

func TestReportInABrowser(t *testing.T) {
	longtest.Skip(t, "drives a browser")
	file := t.TempDir() + "/report.html"
	if err := os.WriteFile(file, []byte(report(t, month(""))), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browser.Start(t)
	for _, width := range []int64{1280, 390} {
		b.Look(width, "light")
		b.Open("file://" + file)
		b.Fits(fmt.Sprintf("the report at %d", width))
	}
	if *updateScreenshots != "" {
		picture(t, b.Picture(), "report-390-light")
		b.Look(1280, "light")
		picture(t, b.Picture(), "report-1280-light")
	}
}
