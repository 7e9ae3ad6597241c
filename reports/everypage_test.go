package reports_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"mirror/diff"
	"mirror/reports"
)

// parked is a verdict with an origin that answers the same on all 44 pages, in one kind of drift.
func parked(kind diff.Kind) diff.Verdict {
	var each []diff.Difference
	for i := range 44 {
		each = append(each, diff.Difference{Origin: "pages", Path: fmt.Sprintf("%02d.html", i), Kind: kind, Status: 503, Detail: "answered 503"})
	}
	return diff.Verdict{Pages: 44, Origins: []diff.OriginVerdict{
		{Name: "pages", URL: "https://me.example/", Pages: 44, Differences: diff.Everywhere(each, 44)},
	}}
}

// TestARowOfEveryPageCountsAllOfThem holds that the one row of an origin that is parked or shut down
// counts as many pages as it stands for, in each form.
func TestARowOfEveryPageCountsAllOfThem(t *testing.T) {
	want := map[diff.Kind]map[string][]string{
		diff.Unreachable: {
			"text":     {"44 unreachable", ": 44 pages were unreachable."},
			"json":     {`"path": "*"`, `"unreachable": 44`, `"pages": 44`},
			"markdown": {"44 pages were unreachable", "44 unreachable"},
			"junit":    {`failures="0" errors="2"`, `message="44 unreachable"`},
			"github":   {"pages%3A 44 unreachable"},
			"sarif":    {`"occurrenceCount": 44`, "44 pages were unreachable"},
		},
		diff.Missing: {
			"text":     {"44 missing", ": 44 differences."},
			"markdown": {": 44 differences.", "44 missing"},
			"github":   {"pages%3A 44 missing"},
		},
	}
	for kind, formats := range want {
		doc := reports.CheckOf(parked(kind))
		for format, texts := range formats {
			got := string(encode(t, format, doc, reports.Style{}))
			for _, text := range texts {
				if !strings.Contains(got, text) {
					t.Errorf("%s: %s lacks %q:\n%s", kind, format, text, got)
				}
			}
		}
		if n := strings.Count(string(encode(t, "json", doc, reports.Style{})), `"path"`); n != 1 {
			t.Errorf("%s: got %d rows", kind, n)
		}
	}
}

// TestAToleratedRowOfEveryPageCountsAllOfThem holds the same of what does not count.
func TestAToleratedRowOfEveryPageCountsAllOfThem(t *testing.T) {
	v := parked(diff.Missing)
	v.Origins[0].Differences[0].Tolerated = "a rule"
	var b bytes.Buffer
	if err := reports.CheckOf(v).Text(&b, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"44 tolerated differences", "44 tolerated "} {
		if !strings.Contains(b.String(), text) {
			t.Errorf("the text lacks %q:\n%s", text, &b)
		}
	}
}
