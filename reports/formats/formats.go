// Package formats lists the forms in which each report can be written. A new form is an
// encoder, and a line here.
package formats

import (
	"io"

	"mirror/reports"
	"mirror/reports/html"
)

// Format is a form in which a document can be written.
type Format[Document any] struct {
	Name  string
	About string // for whom, in a few words
	Write func(d Document, w io.Writer, s reports.Style) error
	// Extension ends the names of the files in which the daemon keeps reports of this form,
	// as in ".md"; "" where it keeps none.
	Extension string
}

// Check lists the forms of a check, the one for people first.
func Check() []Format[reports.Check] {
	return []Format[reports.Check]{
		{Name: "text", About: "tables for people", Write: reports.Check.Text},
		{Name: "json", About: "one document for scripts", Write: asJSON[reports.Check]},
		{Name: "markdown", About: "for a pull request or a step summary", Write: unstyled(reports.Check.Markdown)},
		{Name: "junit", About: "XML for the test views of GitLab, Jenkins and others", Write: unstyled(reports.Check.JUnit)},
		{Name: "sarif", About: "2.1.0, for code scanning", Write: reports.Check.SARIF},
		{Name: "github", About: "annotations of a GitHub workflow", Write: unstyled(reports.Check.GitHub)},
		{Name: "csv", About: "one row a difference, for spreadsheets", Write: unstyled(reports.Check.CSV)},
	}
}

// Period lists the forms of a report over a period, the one for people first.
func Period() []Format[reports.Period] {
	return []Format[reports.Period]{
		{Name: "text", About: "tables for people", Write: reports.Period.Text},
		{Name: "json", About: "one document for scripts", Write: asJSON[reports.Period], Extension: ".json"},
		{Name: "markdown", About: "for an issue, a chat or a page", Write: unstyled(reports.Period.Markdown), Extension: ".md"},
		{Name: "csv", About: "one row a day and origin, for spreadsheets", Write: unstyled(reports.Period.CSV)},
		{Name: "html", About: "one page that needs nothing else, to be mailed or kept", Write: asHTML, Extension: ".html"},
	}
}

// Diff lists the forms of the differences between two states of a site, the one for people first.
func Diff() []Format[reports.Diff] {
	return []Format[reports.Diff]{
		{Name: "text", About: "a list and unified diffs for people", Write: reports.Diff.Text},
		{Name: "json", About: "one document for scripts", Write: asJSON[reports.Diff]},
		{Name: "markdown", About: "for a comment on a pull request", Write: unstyled(reports.Diff.Markdown)},
		{Name: "html", About: "one page that needs nothing else", Write: unstyled(asDiffPage)},
	}
}

func asDiffPage(d reports.Diff, w io.Writer) error { return html.Diff(w, d) }

func asJSON[Document any](d Document, w io.Writer, _ reports.Style) error { return reports.JSON(w, d) }

func asHTML(p reports.Period, w io.Writer, _ reports.Style) error { return html.Report(w, p) }

func unstyled[Document any](write func(Document, io.Writer) error) func(Document, io.Writer, reports.Style) error {
	return func(d Document, w io.Writer, _ reports.Style) error { return write(d, w) }
}
