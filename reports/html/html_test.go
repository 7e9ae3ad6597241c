package html_test

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/reports"
	"mirror/reports/html"
)

// everyPage is one of each page, with as much in it as a template may look at.
func everyPage() []html.Page {
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	origin := reports.OriginStatusOf(diff.OriginState{Name: "pages", URL: "https://a.example/", State: diff.Drifts, Err: "refused", Counts: map[diff.Kind]int{diff.Stale: 1}, Slowest: []diff.Slow{{Path: "a"}}}, at)
	check := reports.HistoryCheck{ID: 1, Started: at, Origins: []reports.OriginStatus{origin}}
	open := reports.PeriodEpisode{Origin: "pages", Kind: diff.Stale, Opened: at, LastSeen: at, Paths: []string{"*"}}
	over := open
	over.LastGood, over.Closed = &at, &at
	window := reports.WindowOf(diff.Window{Pages: 1, Origins: []diff.OriginWindow{{Name: "pages", FirstNew: diff.Bounds{After: at}}}, Fresh: []diff.Freshness{{T: time.Second, P: 1}}})
	publish := reports.PeriodPublish{Started: at, Outcome: "live", Window: &window}
	job := reports.Job{Name: "drift", Next: &at, Running: true, Since: &at}
	run := reports.LoggedRun{HistoryRun: reports.HistoryRun{Job: "drift", Started: at, Outcome: "failed", Error: "no"}, Log: "log"}
	return []html.Page{
		html.Now{Overview: reports.Overview{State: diff.Drifts, Origins: []reports.OriginStatus{origin}, Drift: []reports.PeriodEpisode{open}, Check: &check, Published: &at, Jobs: []reports.Job{job}}, Checks: []reports.HistoryCheck{check}, Shown: 30},
		html.Now{}, html.Origin{Origin: origin, Check: &check, Episodes: []reports.PeriodEpisode{over}, Shown: 30}, html.Origin{},
		html.Publishes{Rows: []reports.PeriodPublish{publish}, Older: "/x"}, html.Publish{Publish: publish}, html.Publish{},
		html.Episodes{Rows: []reports.PeriodEpisode{open, over}}, html.Episode{Episode: open}, html.Episode{Episode: over},
		html.Checks{Rows: []reports.HistoryCheck{check, {Error: "no verdict"}}},
		html.History{From: at.AddDate(0, 0, -1), To: at, Origins: []string{"pages"}, Spans: []html.Span{{Days: 30}}},
		html.Jobs{Jobs: []reports.Job{job, {}}, Runs: []reports.LoggedRun{run}}, html.Job{Name: "drift"}, html.Problem{Head: "Not found"},
	}
}

// TestEveryPageIsMade holds that each template fits the documents that it shows, and that there
// is a page for each template.
func TestEveryPageIsMade(t *testing.T) {
	r, used := html.NewRenderer(), map[string]bool{}
	for _, page := range everyPage() {
		text, err := r.Render(html.Frame{Path: "/", Now: time.Now()}, page)
		if err != nil || !strings.Contains(string(text), "<main") || !strings.Contains(string(text), "</html>") {
			t.Errorf("%T: %v", page, err)
		}
		used[strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", page), "html."))] = true
	}
	files, err := fs.Glob(os.DirFS("assets/pages"), "*.html")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(file, ".html"); !used[name] && name != "error" {
			t.Errorf("no page was made with %s", file)
		}
	}
}
