//go:build unix

package command_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/command"
)

// A program that cannot be started is told with the reason in words and a way out.
func TestProgramsThatCannotBeStarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "missing"):                          "there is no program ",
		"no-such-program-anywhere":                             `there is no program "no-such-program-anywhere" in PATH`,
		write("plain", "#!/bin/sh\n", 0o600):                   "may not be executed (hint: chmod +x)",
		write("windows", "#!/bin/no-such-sh\r\necho\n", 0o700): "names is not there (hint: #!/bin/sh",
		write("data", "\x00\x01\x02\x03", 0o700):               "is no program that this system runs",
		dir:                                                    "may not be executed",
	} {
		err := command.Run(t.Context(), command.New(t.Context(), name))
		if err == nil || !strings.Contains(err.Error(), want) || errors.Unwrap(err) == nil {
			t.Errorf("Run %s: got %v, want %s", filepath.Base(name), err, want)
		}
		if _, err := command.Start(t.Context(), nil, io.Discard, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start %s: got %v, want %s", filepath.Base(name), err, want)
		}
	}
	there := command.New(t.Context(), "/bin/sh", "-c", "exit 0")
	there.Dir = filepath.Join(dir, "nowhere")
	if err := command.Run(t.Context(), there); err == nil || !strings.Contains(err.Error(), "there is no folder ") {
		t.Errorf("a folder that is missing: got %v", err)
	}
}
