package reports_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mirror/diff"
	"mirror/reports"
)

// manyDrifts has an origin that lacks 62 pages of a folder and 300 pages in other folders, and
// one with a single altered page, which comes last in the document.
func manyDrifts() reports.Check {
	c := reports.Check{Origins: []reports.Origin{{Name: "pages"}, {Name: "bucket"}}}
	for i := range 62 {
		c.Drift = append(c.Drift, reports.Drift{Origin: "pages", Kind: diff.Missing, Path: fmt.Sprintf("tags/%02d/index.html", i)})
	}
	for i := range 300 {
		c.Drift = append(c.Drift, reports.Drift{Origin: "pages", Kind: diff.Missing, Path: fmt.Sprintf("p%03d/index.html", i)})
	}
	c.Drift = append(c.Drift, reports.Drift{Origin: "bucket", Kind: diff.Stale, Path: "news.html"},
		reports.Drift{Origin: "bucket", Kind: diff.Altered, Path: "index.html"})
	return c
}

func TestTheWorstComesFirstAndFoldersAreFolded(t *testing.T) {
	var b bytes.Buffer
	if err := manyDrifts().Text(&b, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	var at []int
	for _, want := range []string{"altered  index.html", "missing  tags/**", "62 paths, as tags/00/index.html", "missing  p000", "stale    news.html", "… and 253 more (--all"} {
		i := strings.Index(text, want)
		if i < 0 {
			t.Fatalf("%q is not in\n%s", want, text)
		}
		at = append(at, i)
	}
	for i := 1; i < len(at); i++ {
		if at[i] < at[i-1] {
			t.Errorf("the rows are in the wrong order:\n%s", text)
		}
	}
	b.Reset()
	if err := manyDrifts().Text(&b, reports.Style{All: true}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "missing  "); got != 362 {
		t.Errorf("with all: %d rows of missing pages, want 362", got)
	}
}

// TestAnInjectedPageComesFirst has a page that no release had, and one of an earlier release.
func TestAnInjectedPageComesFirst(t *testing.T) {
	c := reports.Check{Origins: []reports.Origin{{Name: "o"}}, Drift: []reports.Drift{
		{Origin: "o", Kind: diff.Missing, Path: "gone.html"},
		{Origin: "o", Kind: diff.Extra, Path: "old.html", Earlier: true},
		{Origin: "o", Kind: diff.Extra, Path: "casino.html"},
	}}
	var b bytes.Buffer
	if err := c.Text(&b, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	injected, missing, old := strings.Index(text, "casino.html"), strings.Index(text, "gone.html"), strings.Index(text, "old.html")
	if injected < 0 || injected > missing || missing > old {
		t.Errorf("got\n%s", text)
	}
}

func TestPlanIsGroupedByPath(t *testing.T) {
	both := []string{"a.html", "b.html"}
	var folder []string
	for i := range 30 {
		folder = append(folder, fmt.Sprintf("posts/%02d.html", i))
	}
	got := planText(t, reports.PlanTarget{Name: "pages", Add: slices.Concat(folder, both), Same: 3},
		reports.PlanTarget{Name: "bucket", Add: slices.Concat(folder, []string{"b.html"}), Change: []string{"a.html"}, Same: 3})
	for _, want := range []string{"~ a.html  on bucket\n", "+ a.html  on pages\n", "+ b.html  on pages, bucket\n", "+ posts/**  30 paths  on pages, bucket\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if got := planText(t, reports.PlanTarget{Name: "pages", Same: 3}); !strings.Contains(got, "No changes.") {
		t.Errorf("got\n%s", got)
	}
}
