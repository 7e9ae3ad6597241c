package crash_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"mirror/internal/crash"
)

const crashing = "MIRROR_TEST_CRASH"

// TestACrashIsNotAWrongConfig crashes in another process.
func TestACrashIsNotAWrongConfig(t *testing.T) {
	if os.Getenv(crashing) != "" {
		crash.Abort()
		done := make(chan struct{})
		go func() { panic("crash of the test") }()
		<-done
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestACrashIsNotAWrongConfig$")
	cmd.Env = append(os.Environ(), crashing+"=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() >= 0 && exit.ExitCode() <= 5 || !strings.Contains(string(out), "crash of the test") {
		t.Errorf("got %v: %s", err, out)
	}
}
