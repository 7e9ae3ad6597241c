//go:build unix

package exec_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/targets"
	target "mirror/targets/exec"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

var (
	_ targets.Target    = (*target.Target)(nil)
	_ targets.Guard     = (*target.Target)(nil)
	_ targets.Historian = (*target.Target)(nil)
	_ targets.Pruner    = (*target.Target)(nil)
	_ targets.Restorer  = (*target.Target)(nil)
	_ targets.Notes     = (*target.Target)(nil)
	_ targets.Gracer    = (*target.Target)(nil)
	_ targets.Eraser    = (*target.Target)(nil)
	_ targets.Optional  = (*target.Target)(nil)
)

// TestExample runs the suite on the example of the documentation, which has what every program must do.
func TestExample(t *testing.T) {
	longtest.Skip(t, "runs a shell script for each step of the suite")
	t.Parallel()
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		path := filepath.Join(t.TempDir(), "blog")
		return fixture(t, "exec-example.sh", path)
	})
}

// TestExampleOfAll runs the suite on the example that can do all that a program can.
func TestExampleOfAll(t *testing.T) {
	longtest.Skip(t, "runs a shell script for each step of the suite")
	t.Parallel()
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		path := filepath.Join(t.TempDir(), "blog")
		f := fixture(t, "exec-example-all.sh", path)
		f.Gracing = func(t *testing.T, policy *grace.Policy) targets.Target {
			return openAs(t, targets.Env{Grace: policy}, "sh", script(t, "exec-example-all.sh"), path)
		}
		f.Guarded = func(t *testing.T, owner string, lease time.Duration, _ http.RoundTripper) targets.Target {
			return openAs(t, targets.Env{Owner: owner, Lease: lease}, "sh", script(t, "exec-example-all.sh"), path)
		}
		f.Holds = func(t *testing.T, text string) string { return targettest.HoldsText(t, path, text) }
		return f
	})
}

func fixture(t *testing.T, name, path string) targettest.Fixture {
	t.Helper()
	return targettest.Fixture{
		Kind:           target.Kind(),
		NoBeaconRecord: true,
		Open: func(t *testing.T, _ http.RoundTripper) targets.Target {
			return open(t, "sh", script(t, name), path)
		},
		Read: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(path, "current", name)) },
		Put:  func(t *testing.T, files map[string][]byte) { edit(t, path, files) },
	}
}

// script is the path of an example of the documentation.
func script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs("../../docs/targets/" + name)
	must(t, err)
	return path
}

func open(t *testing.T, command ...string) *target.Target {
	t.Helper()
	return openAs(t, targets.Env{}, command...)
}

func openAs(t *testing.T, env targets.Env, command ...string) *target.Target {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Fatal(err)
	}
	tgt, err := target.Open(target.Config{Command: command, Timeout: "1m"}, env)
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
