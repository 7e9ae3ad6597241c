package output_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"mirror/internal/output"
)

// TestAFailureIsAnnotatedInAWorkflow has an error without a report seen on the page of a GitHub run.
func TestAFailureIsAnnotatedInAWorkflow(t *testing.T) {
	err := errors.New("mirror.yaml:3:1: 100% wrong\n::warning::forged")
	for actions, want := range map[string]string{"": "", "true": "::error title=mirror::mirror.yaml:3:1: 100%25 wrong"} {
		var b bytes.Buffer
		output.Failure(&b, "error:", err, func(string) string { return actions }, nil)
		var commands []string
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(line, "::") {
				commands = append(commands, line)
			}
		}
		if !strings.HasPrefix(b.String(), "error: mirror.yaml:3:1: 100% wrong") {
			t.Errorf("the error is not there: %q", &b)
		}
		if got := strings.Join(commands, ""); len(commands) > 1 || (want == "") != (got == "") || !strings.HasPrefix(got, want) {
			t.Errorf("GITHUB_ACTIONS=%q: got the commands %q, want %q", actions, got, want)
		}
	}
	var b bytes.Buffer
	if output.Failure(&b, "error:", nil, func(string) string { return "true" }, nil); b.Len() > 0 {
		t.Errorf("no error: got %q", &b)
	}
}
