package html_test

import (
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/reports"
	"mirror/reports/html"
)

// TestHeadlineOfAReport says how the time was and how it ended, with the sign of the end.
func TestHeadlineOfAReport(t *testing.T) {
	at, none, half := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC), 0.0, 0.5
	for name, c := range map[string]struct {
		state  diff.State
		checks reports.Agreement
		want   string
	}{
		"before the first check":    {diff.Unknown, reports.Agreement{}, "Nothing is known of this time"},
		"no check saw them agree":   {diff.Drifts, reports.Agreement{Checks: 4, Drifted: 4, ByTime: &none}, "No check saw all origins agree"},
		"they agreed, and no more":  {diff.Drifts, reports.Agreement{Checks: 4, Agreed: 2, Drifted: 2, ByTime: &half}, "All origins agreed for 50.00 % of the time, and not at its end"},
		"they agreed at the end":    {diff.Agrees, reports.Agreement{Checks: 4, Agreed: 2, Drifted: 2, ByTime: &half}, "All origins agreed for 50.00 % of the time"},
		"they agreed all the while": {diff.Agrees, reports.Agreement{Checks: 4, Agreed: 4}, "Every origin agreed all the time"},
	} {
		t.Run(name, func(t *testing.T) {
			var page strings.Builder
			p := reports.Period{Since: at.Add(-time.Hour), Until: at, State: c.state, Agreement: c.checks, Checks: c.checks.Checks}
			if err := html.Report(&page, p); err != nil {
				t.Fatal(err)
			}
			if want := "</span> " + c.want + "</h1>"; !strings.Contains(page.String(), want) {
				t.Errorf("no %q in\n%s", want, page.String())
			}
			if good := strings.Contains(page.String(), `<h1 class="verdict `+goodClass(t)+`"`); good != (c.state == diff.Agrees) {
				t.Errorf("the sign of %s is good: %t", c.state, good)
			}
		})
	}
}

// goodClass is the class of a headline where all is well.
func goodClass(t *testing.T) string {
	t.Helper()
	var page strings.Builder
	if err := html.Report(&page, reports.Period{State: diff.Agrees, Checks: 1, Agreement: reports.Agreement{Checks: 1, Agreed: 1}}); err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(page.String(), `<h1 class="verdict `)
	class, _, _ := strings.Cut(after, `"`)
	return class
}
