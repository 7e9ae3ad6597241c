package output

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"mirror/internal/humanize"
	"mirror/internal/secrets"
	"mirror/reports"
)

// maxSummary is what GitHub takes of a step; of more it shows nothing at all.
const maxSummary = 1 << 20

// GitHub shows a check where a GitHub workflow looks: in the step's summary, and as annotations,
// which go to stderr so that stdout stays what was asked for. An output that was asked for in the
// same form takes the place of either. The error says what could not be written.
func GitHub(s Set[reports.Check], c reports.Check, getenv func(string) string, stderr io.Writer, known *secrets.Scrubber) error {
	if getenv("GITHUB_ACTIONS") == "true" && !s.Has("github") {
		if err := c.GitHub(stderr); err != nil {
			return err
		}
	}
	file := getenv("GITHUB_STEP_SUMMARY")
	if file == "" || s.WritesTo(file) {
		return nil
	}
	return summarise(file, c, known)
}

// GitHubPublish shows a publish in the step's summary of a GitHub workflow.
func GitHubPublish(p reports.Publish, getenv func(string) string, known *secrets.Scrubber) error {
	file := getenv("GITHUB_STEP_SUMMARY")
	if file == "" {
		return nil
	}
	return summarise(file, p, known)
}

// document is a report that can be written as Markdown.
type document interface{ Markdown(w io.Writer) error }

func summarise(file string, d document, known *secrets.Scrubber) error {
	if err := appendSummary(file, d, known); err != nil {
		return fmt.Errorf("no step summary: %w", err)
	}
	return nil
}

func appendSummary(name string, d document, known *secrets.Scrubber) error {
	var b bytes.Buffer
	if err := d.Markdown(&b); err != nil {
		return err
	}
	text := known.Bytes(b.Bytes())
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	before, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if before > 0 {
		text = append([]byte("\n"), text...)
	}
	if before+int64(len(text)) > maxSummary {
		return fmt.Errorf("%s holds %s already", name, humanize.Bytes(before))
	}
	_, err = file.Write(text)
	return err
}
