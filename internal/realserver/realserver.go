// Package realserver starts the real servers that the tests talk to: nginx, sshd, an S3
// gateway, container registries, podman. Each runs on loopback, on a free port, in a
// folder of the test's own, and ends with the test.
package realserver

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// startup bounds how long a server may take until it listens.
const startup = 2 * time.Minute

// Need returns the path of a program, looked for in the repository's bin folder (where
// `make servers` builds to), in PATH and in the folders for daemons. Without it the test is
// skipped, and failed where MIRROR_REQUIRE_REAL is set.
func Need(t testing.TB, program string) string {
	t.Helper()
	for _, dir := range []string{binFolder(), "/usr/sbin", "/sbin"} {
		if path := filepath.Join(dir, program); isProgram(path) {
			return path
		}
	}
	path, err := exec.LookPath(program)
	if err != nil {
		Missing(t, "needs the program %s, which is not installed (`make servers` brings it)", program)
	}
	return path
}

// Missing skips the test for want of a real part, and fails it where MIRROR_REQUIRE_REAL is set.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("MIRROR_REQUIRE_REAL") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// binFolder is bin at the repository's root, found from this file's own place.
func binFolder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "bin")
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Start runs a server until the test ends and waits until it accepts connections at
// addr ("" for a server that listens on no TCP port). What it printed is logged if the
// test fails.
func Start(t testing.TB, cmd *exec.Cmd, addr string) {
	t.Helper()
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // killed below: its exit status says nothing
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-ended
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), out)
		}
	})
	if addr != "" {
		awaitListen(t, addr, ended, out)
	}
}

func awaitListen(t testing.TB, addr string, ended <-chan struct{}, out *output) {
	t.Helper()
	for deadline := time.Now().Add(startup); time.Now().Before(deadline); {
		if conn, err := net.DialTimeout("tcp", addr, 10*time.Second); err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("the server for %s ended at once:\n%s", addr, out)
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("nothing listens on %s after %s:\n%s", addr, startup, out)
}

// output keeps the last of what a server printed.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const keepOutput = 64 << 10

// Write keeps the text.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len() > keepOutput {
		o.buf.Reset()
	}
	return o.buf.Write(p)
}

// String is what was kept.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
