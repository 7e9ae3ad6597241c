package reports

import (
	"io"
)

// Format is a form in which a check can be written.
type Format struct {
	Name  string
	About string // for whom, in a few words
	Write func(c Check, w io.Writer, s Style) error
}

// Formats lists all forms, the one for people first. A new one is a line here.
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

func unstyled(write func(Check, io.Writer) error) func(Check, io.Writer, Style) error {
	return func(c Check, w io.Writer, _ Style) error { return write(c, w) }
}
