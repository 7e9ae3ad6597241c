package reports_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"mirror/reports"
)

// TestWarningsStandInEveryDocument asks each document for the field and for the line of text.
func TestWarningsStandInEveryDocument(t *testing.T) {
	ending := reports.Ending{Error: "why", Warnings: []string{"the history is locked\n::error::forged"}}
	check := reports.Check{Ending: ending}
	for name, doc := range map[string]interface {
		Text(w io.Writer, s reports.Style) error
	}{
		"publish": reports.Publish{Ending: ending}, "plan": reports.Plan{Ending: ending}, "check": check, "window": reports.Window{Ending: ending},
		"report": reports.Period{Ending: ending}, "history": reports.History{Ending: ending}, "demo": reports.Demo{Ending: ending},
	} {
		var js, text bytes.Buffer
		if err := reports.JSON(&js, doc); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Error    string
			Warnings []string
		}
		if err := json.Unmarshal(js.Bytes(), &got); err != nil || len(got.Warnings) != 1 || got.Error != "why" {
			t.Errorf("%s: %v: got %+v from %s", name, err, got, js.Bytes())
		}
		if err := doc.Text(&text, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains("\n"+text.String(), "\nwarning  the history is locked") || strings.Contains(text.String(), "\n::error") {
			t.Errorf("%s: got %q", name, text.String())
		}
	}
	var markdown bytes.Buffer
	if err := check.Markdown(&markdown); err != nil || !strings.Contains(markdown.String(), "the history is locked") {
		t.Errorf("markdown: %v: %s", err, markdown.String())
	}
}
