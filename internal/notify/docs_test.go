package notify

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// example returns the code of a language in the documentation.
func example(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/notify.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n```"+language+"\n")
	code, _, closed := strings.Cut(rest, "\n```\n")
	if !found || !closed {
		t.Fatalf("the documentation has no example in %s", language)
	}
	return code
}

// TestDocumentedVerification runs what the documentation says on signatures of ours.
func TestDocumentedVerification(t *testing.T) {
	body := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(body, []byte("{\"a\":\"ü\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	python := example(t, "python") + "\nimport os, sys\nsys.exit(not verify(os.environ['HOOK_SECRET'].encode(), os.environ['SIGNATURE'], " +
		"open(os.environ['BODY'], 'rb').read()))\n"
	for _, c := range []struct {
		name, tool string
		args       []string
	}{
		{"python", "python3", []string{"-c", python}},
		{"shell", "openssl", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := exec.LookPath(c.tool); err != nil {
				t.Skip(err)
			}
			program, args := c.tool, c.args
			if args == nil {
				program, args = "sh", []string{"-c", example(t, "sh")}
			}
			now, text := time.Now(), []byte("{\"a\":\"ü\"}\n")
			for signature, want := range map[string]bool{
				Sign(key, text, now):                 true,
				Sign("other", text, now):             false,
				Sign(key, []byte("{}"), now):         false,
				Sign(key, text, now.Add(-time.Hour)): false,
			} {
				command := exec.CommandContext(t.Context(), program, args...)
				command.Env = append(os.Environ(), "HOOK_SECRET="+key, "SIGNATURE="+signature, "BODY="+body)
				if out, err := command.CombinedOutput(); (err == nil) != want {
					t.Errorf("%s: %v %s, want %t", signature, err, out, want)
				}
			}
		})
	}
}
