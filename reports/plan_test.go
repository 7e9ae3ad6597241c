package reports_test

import (
	"bytes"
	"strings"
	"testing"

	"mirror/reports"
)

func planText(t *testing.T, p ...reports.PlanTarget) string {
	t.Helper()
	var text bytes.Buffer
	if err := (reports.Plan{Targets: p}).Text(&text, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestPlanWithForeignFilesSaysWhatPublishNeeds does not promise that publish alone does it.
func TestPlanWithForeignFilesSaysWhatPublishNeeds(t *testing.T) {
	foreign := []string{"a.jpg"}
	text := planText(t, reports.PlanTarget{Name: "disk", Delete: foreign, Foreign: foreign})
	if strings.Contains(text, "`mirror publish` does it") || !strings.HasSuffix(text, "Nothing was changed; `mirror publish` asks first on a terminal, else `mirror publish --adopt` does it.\n") {
		t.Errorf("the plan ends otherwise:\n%s", text)
	}
}

// TestPlanThatIsRefusedShowsItsNumbers has a target that was planned and then refused.
func TestPlanThatIsRefusedShowsItsNumbers(t *testing.T) {
	text := planText(t, reports.PlanTarget{Name: "disk", Add: []string{"a.html"}, Delete: []string{"b", "c"}, Same: 7, Error: "over the limit"},
		reports.PlanTarget{Name: "bucket", Error: "down"})
	for _, want := range []string{"disk    refused  1    0       2       7", "bucket  failed   ?", "There is no whole plan: disk, bucket failed."} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
}
