package reports_test

import (
	"bytes"
	"strings"
	"testing"

	"mirror/reports"
	"mirror/reports/formats"
)

// hostileDiff has what a site could put into a comment or onto a terminal.
func hostileDiff() reports.Diff {
	return reports.Diff{
		Schema: reports.DiffSchema, A: reports.DiffSide{Name: "release 1"}, B: reports.DiffSide{Name: "https://x/|`@team"},
		Changes: []reports.DiffChange{
			{Path: "a|b\x1b[31m<script>@team #12 `.html", Status: reports.DiffChanged, OldSHA256: "1", NewSHA256: "2",
				Diff: "@@ -1,1 +1,4 @@\n-a\n+</pre></details><script>alert(1)</script>\n+\n+```\n+@team fixes #12 https://evil.example\n+\x1b]0;title\a\n"},
			{Path: "new", OldPath: "old", Status: reports.DiffRenamed, Serves: map[string]string{"pages": "a", "<b>": "b"}},
		},
		Origins: []reports.DiffOrigin{{Name: "pages"}, {Name: "<b>", Error: "<img src=x>"}},
		Notes:   []string{"<i>note</i>"},
	}
}

// TestNothingOfASiteActsInADiff writes every form and looks for what would act there.
func TestNothingOfASiteActsInADiff(t *testing.T) {
	for _, f := range formats.Diff() {
		var b bytes.Buffer
		if err := f.Write(hostileDiff(), &b, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		wrong := []string{"\x1b", "\a"}
		switch f.Name {
		case "markdown":
			wrong = append(wrong, "<script", "</pre></details><", "<i>", "<b>", "@team", "fixes #12", "team #12", "https://", "\n\n```", "```")
		case "html":
			wrong = append(wrong, "<script", "</pre></details><script", "<i>", "<b>", "<img")
		}
		for _, text := range wrong {
			if strings.Contains(b.String(), text) {
				t.Errorf("%s has %q:\n%s", f.Name, text, b.String())
			}
		}
	}
}

// TestAMarkdownDiffFitsIntoAComment has many long texts and many paths.
func TestAMarkdownDiffFitsIntoAComment(t *testing.T) {
	d := reports.Diff{}
	for range 3000 {
		d.Changes = append(d.Changes, reports.DiffChange{Path: strings.Repeat("<", 300), Status: reports.DiffChanged, Diff: strings.Repeat("+<<<<<<<<<<<<<<<<<\n", 3000)})
	}
	var b bytes.Buffer
	if err := d.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 65_000 || !strings.Contains(b.String(), "more files without a diff") {
		t.Errorf("got %d bytes:\n%.300s", b.Len(), b.String())
	}
}
