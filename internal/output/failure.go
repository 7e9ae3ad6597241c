package output

import (
	"fmt"
	"io"

	"mirror/internal/secrets"
	"mirror/reports"
)

// Failure says why a command ended, after a label; nothing where there is no error. In a GitHub
// workflow it is an annotation too: a command that ended so has no report with annotations.
func Failure(w io.Writer, label string, err error, getenv func(string) string, known *secrets.Scrubber) {
	if err == nil {
		return
	}
	fmt.Fprintf(w, "%s %s\n", label, reports.Clean(err.Error()))
	if getenv("GITHUB_ACTIONS") == "true" {
		text := known.Bytes([]byte(err.Error())) // w would not find a secret once its text is escaped
		fmt.Fprintln(w, reports.ErrorAnnotation("mirror", string(text)))
	}
}
