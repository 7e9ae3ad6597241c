package reports_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/reports"
)

// TestUnchangedOriginHasNoTurn counts the times from the first origin that turned, and
// shows none of one at which nothing did.
func TestUnchangedOriginHasNoTurn(t *testing.T) {
	began := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	turned := diff.Bounds{After: began.Add(time.Second), Before: began.Add(2 * time.Second)}
	start := diff.Bounds{After: began, Before: began}
	doc := reports.WindowOf(diff.Window{Closed: true, Upper: time.Second, Pages: 3, Origins: []diff.OriginWindow{
		{Name: "git", FirstNew: start, AllNew: start, Unchanged: true}, {Name: "s3", FirstNew: turned, AllNew: turned, Pages: 3},
	}})
	var text bytes.Buffer
	if err := doc.Text(&text, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	if !strings.Contains(lines[2], "no change") || !strings.Contains(lines[3], "0ms to 1.00s") {
		t.Errorf("got\n%s", &text)
	}
	if doc.Origins[1].Pages != 3 || !doc.Origins[0].Unchanged {
		t.Errorf("got %+v", doc.Origins)
	}
}
