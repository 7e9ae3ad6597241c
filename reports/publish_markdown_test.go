package reports_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/reports"
)

// TestPublishMarkdownHasOriginsAndWindow writes what a workflow shows of a publish.
func TestPublishMarkdownHasOriginsAndWindow(t *testing.T) {
	zero := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	turn := func(ms int) diff.Bounds {
		at := zero.Add(time.Duration(ms) * time.Millisecond)
		return diff.Bounds{After: at, Before: at.Add(10 * time.Millisecond)}
	}
	window := reports.WindowOf(diff.Window{Closed: true, Lower: 20 * time.Millisecond, Upper: 60 * time.Millisecond, Pages: 7,
		Origins: []diff.OriginWindow{{Name: "pages", FirstNew: turn(0), AllNew: turn(20), Pages: 7}, {Name: "bucket", FirstNew: turn(30), AllNew: turn(40), Pages: 7}}})
	check := reports.Check{Pages: 9, Origins: []reports.Origin{
		{Name: "pages", URL: "https://me.github.io/", State: "agree", Pages: 9, Match: 9},
		{Name: "bucket", URL: "https://b.example.com/", State: "unreachable", Pages: 9, Error: "connection <refused> @me"},
	}}
	for _, c := range []struct {
		name string
		doc  reports.Publish
		want []string
	}{
		{"live", reports.Publish{Outcome: "live", Release: "aaaaaaaaaaaaaaaa", Files: 9, Targets: []reports.PublishTarget{{Name: "pages", Add: 2, Committed: &zero}}, Window: &window, Check: &check},
			[]string{"✅ Release", "| <code>pages</code> | ok |", "| <code>pages</code> | agree | 0ms to 10ms | 20ms to 30ms |", "Inconsistency window: 20ms to 60ms, over 7 watched pages",
				"<code>bucket</code> is **unreachable**: connection &#60;refused"}},
		{"not verified", reports.Publish{Outcome: "live", Window: &window}, []string{"| <code>bucket</code> | not looked at | 30ms to 40ms |"}},
		{"failed", reports.Publish{Outcome: "failed", Targets: []reports.PublishTarget{{Name: "pages|x", Error: "403 ::error::"}},
			Ending: reports.Ending{Error: "pages|x: 403", Warnings: []string{"the history is busy"}}},
			[]string{"❌ The publish failed; no live origin was changed.", "403", "⚠️ the history is busy"}},
	} {
		var b bytes.Buffer
		if err := c.doc.Markdown(&b); err != nil {
			t.Fatal(err)
		}
		for _, part := range c.want {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s: %q is not in\n%s", c.name, part, &b)
			}
		}
		if strings.Contains(b.String(), "@me") || strings.Contains(b.String(), "pages|x") {
			t.Errorf("%s: a text is not escaped:\n%s", c.name, &b)
		}
	}
}
