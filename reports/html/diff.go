package html

import (
	"fmt"
	"html/template"
	"io"
	"time"

	"mirror/reports"
)

// diffView is a comparison as the template wants it.
type diffView struct {
	reports.Diff
	Style template.CSS // our own stylesheet
}

// Diff writes the differences between two states of a site as one HTML file that needs nothing else.
func Diff(w io.Writer, d reports.Diff) error {
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		return fmt.Errorf("write the differences: %w", err)
	}
	t, err := template.New("diff.html").Funcs(funcsAt(time.Time{})).ParseFS(assets, "assets/*.html", "assets/report/diff.html")
	if err != nil {
		return fmt.Errorf("write the differences: %w", err)
	}
	if err := t.Execute(w, diffView{Diff: d, Style: template.CSS(style)}); err != nil { //nolint:gosec // a file of ours, no data
		return fmt.Errorf("write the differences: %w", err)
	}
	return nil
}
