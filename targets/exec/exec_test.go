//go:build unix

package exec_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mirror/targets"
	target "mirror/targets/exec"
	"mirror/targets/targettest"
)

// TestExample runs the suite on the example of the documentation.
func TestExample(t *testing.T) {
	t.Parallel()
	program, err := filepath.Abs("../../docs/targets/exec-example.sh")
	must(t, err)
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		path := filepath.Join(t.TempDir(), "blog")
		return targettest.Fixture{
			Kind:           target.Kind(),
			NoBeaconRecord: true,
			Open: func(t *testing.T, _ http.RoundTripper) targets.Target {
				return open(t, "sh", program, path)
			},
			Read: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(path, "current", name)) },
			Put:  func(t *testing.T, files map[string][]byte) { edit(t, path, files) },
		}
	})
}

func open(t *testing.T, command ...string) *target.Target {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Fatal(err)
	}
	tgt, err := target.Open(target.Config{Command: command, Timeout: "1m"})
	must(t, err)
	return tgt
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// edit edits the live folder; where nothing is live it makes one of its own.
func edit(t *testing.T, path string, files map[string][]byte) {
	t.Helper()
	live := filepath.Join(path, "current")
	if _, err := os.Stat(live); err != nil {
		must(t, os.MkdirAll(filepath.Join(path, "theirs"), 0o755))
		must(t, os.Symlink("theirs", live))
	}
	for name, text := range files {
		file := filepath.Join(live, name)
		if text == nil {
			must(t, os.Remove(file))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, text, 0o644))
	}
}
