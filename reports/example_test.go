package reports_test

import (
	"fmt"
	"strings"
	"time"

	"mirror/diff"
	"mirror/reports"
)

// A verdict becomes a document, which each encoder writes in its own form.
func ExampleCheckOf() {
	verdict := diff.Verdict{Pages: 2, Started: time.Unix(0, 0), Origins: []diff.OriginVerdict{
		{Name: "pages", URL: "https://me.github.io/", Pages: 2, Match: 2},
		{Name: "bucket", URL: "https://blog.example.com/", Pages: 2, Match: 1, Differences: []diff.Difference{
			{Origin: "bucket", Path: "about/index.html", Kind: diff.Missing, Status: 404},
		}},
	}}
	var out strings.Builder
	if err := reports.CheckOf(verdict).CSV(&out); err != nil {
		fmt.Println(err)
	}
	fmt.Print(strings.ReplaceAll(out.String(), "\r\n", "\n")) // RFC 4180 ends lines so
	// Output:
	// origin,path,url,kind,want,got,status,location,release,behind,published,detail,tolerated,pages
	// bucket,about/index.html,,missing,,,404,,,,,,,1
}
