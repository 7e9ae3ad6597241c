package reports_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"mirror/reports"
	"mirror/site"
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
	if strings.Contains(text, "`mirror publish` carries it out") || !strings.HasSuffix(text, "Nothing was changed; `mirror publish` asks first on a terminal; without one use `mirror publish --adopt`.\n") {
		t.Errorf("the plan ends otherwise:\n%s", text)
	}
}

// TestPlanThatIsRefusedShowsItsNumbers has a target that was planned and then refused.
func TestPlanThatIsRefusedShowsItsNumbers(t *testing.T) {
	text := planText(t, reports.PlanTarget{Name: "disk", Add: []string{"a.html"}, Delete: []string{"b", "c"}, Same: 7, Error: "over the limit"},
		reports.PlanTarget{Name: "bucket", Error: "down"})
	for _, want := range []string{"disk    refused  1    0       2       7", "bucket  failed   ?", "The plan is incomplete: disk, bucket failed."} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
}

// TestPlanShowsMetadataApart has a page whose content changes on one target and whose header alone does
// on the other.
func TestPlanShowsMetadataApart(t *testing.T) {
	header := reports.PlanMetadata{Path: "index.html", Detail: "cache-control: none → max-age=60"}
	text := planText(t,
		reports.PlanTarget{Name: "bucket", Change: []string{"a.html", "index.html"}, Metadata: []reports.PlanMetadata{header}, Same: 4},
		reports.PlanTarget{Name: "pages", Change: []string{"index.html"}, Same: 5})
	for _, want := range []string{
		"target  live  add  change  metadata  delete  same", "bucket  none  0    1       1         0       4",
		"~ a.html  on bucket\n~ index.html  on pages\n", "m index.html  cache-control: none → max-age=60  on bucket\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(planText(t, reports.PlanTarget{Name: "pages", Change: []string{"index.html"}}), "metadata") {
		t.Error("a plan without changes of metadata has a column for them")
	}
}

// TestPlanFoldsMetadataByWhatChanges has one rule for a folder of many files, and another for one file.
func TestPlanFoldsMetadataByWhatChanges(t *testing.T) {
	target := reports.PlanTarget{Name: "bucket"}
	for i := range 30 {
		m := reports.PlanMetadata{Path: fmt.Sprintf("assets/%02d.js", i), Detail: "cache-control: none → max-age=60"}
		if i == 7 {
			m.Detail = "content-type: text/plain → text/javascript"
		}
		target.Change, target.Metadata = append(target.Change, m.Path), append(target.Metadata, m)
	}
	text := planText(t, target)
	want := "m assets/**  29 paths  cache-control: none → max-age=60\nm assets/07.js  content-type: text/plain → text/javascript\n"
	if !strings.Contains(text, want) {
		t.Errorf("the plan lacks %q:\n%s", want, text)
	}
}

// TestPlanShowsTheDiffOfContents shows what an enemy wrote into a live page without a raw control
// character, cuts long lines and long diffs, and shows all with --all.
func TestPlanShowsTheDiffOfContents(t *testing.T) {
	long := "@@ -1,1 +1,200 @@\n-old\n" + strings.Repeat("+new\n", 200)
	p := reports.Plan{Release: site.ID(strings.Repeat("cd", 32)), Diffs: []reports.PlanDiff{
		{Path: "a.html", Targets: []string{"bucket", "pages"}, OldBytes: 9, NewBytes: 12, Diff: "@@ -1,1 +1,1 @@\n-\x1b[31mold\n+n\te\tw " + strings.Repeat("x", 2000) + "\n"},
		{Path: "b.png", Targets: []string{"bucket"}, OldBytes: 1024, NewBytes: 2048, Note: "binary"},
		{Path: "c.html", Targets: []string{"bucket"}, OldBytes: 4, NewBytes: 800, Diff: long},
	}, Targets: []reports.PlanTarget{{Name: "bucket", Change: []string{"a.html", "b.png", "c.html"}}}}
	var text, all bytes.Buffer
	for _, err := range []error{p.Text(&text, reports.Style{}), p.Text(&all, reports.Style{All: true})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"--- a.html  live on bucket, pages\n+++ a.html  release cdcdcdcdcdcd\n@@ -1,1 +1,1 @@\n-\\x1b[31mold\n+n    e    w xxx", "…\n",
		"b.png  binary: 1.00KiB live on bucket, 2.00KiB in the release\n", " more lines (--all shows them)\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the plan lacks %q:\n%s", want, text.String())
		}
	}
	if n := strings.Count(all.String(), "+new\n"); n != 200 {
		t.Errorf("--all shows %d of 200 new lines", n)
	}
	if strings.Contains(text.String(), "\x1b") {
		t.Error("an escape sequence of a live page is printed raw")
	}
}
