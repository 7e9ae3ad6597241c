package reports

import (
	"io"
)

// FormatOf is a form in which a document can be written.
type FormatOf[Document any] struct {
	Name  string
	About string // for whom, in a few words
	Write func(d Document, w io.Writer, s Style) error
}

// Format is a form in which a check can be written.
type Format = FormatOf[Check]

// Formats lists all forms of a check, the one for people first. A new one is a line here.
func Formats() []Format {
	return []Format{
		{"text", "tables for people", Check.Text},
		{"json", "one document for scripts", func(c Check, w io.Writer, _ Style) error { return JSON(w, c) }},
		{"markdown", "for a pull request or a step summary", unstyled(Check.Markdown)},
		{"junit", "XML for the test views of GitLab, Jenkins and others", unstyled(Check.JUnit)},
		{"sarif", "2.1.0, for code scanning", unstyled(Check.SARIF)},
		{"github", "annotations of a GitHub workflow", unstyled(Check.GitHub)},
		{"csv", "one row a difference, for spreadsheets", unstyled(Check.CSV)},
	}
}

// PeriodFormats lists the forms of a report over a period that are made here, the one for
// people first.
func PeriodFormats() []FormatOf[Period] {
	return []FormatOf[Period]{
		{"text", "tables for people", Period.Text},
		{"json", "one document for scripts", func(p Period, w io.Writer, _ Style) error { return JSON(w, p) }},
		{"markdown", "for an issue, a chat or a page", unstyled(Period.Markdown)},
		{"csv", "one row a day and origin, for spreadsheets", unstyled(Period.CSV)},
	}
}

func unstyled[Document any](write func(Document, io.Writer) error) func(Document, io.Writer, Style) error {
	return func(d Document, w io.Writer, _ Style) error { return write(d, w) }
}
