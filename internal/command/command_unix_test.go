//go:build unix

package command_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirror/internal/command"
	"mirror/internal/longtest"
)

// holders are shell commands that hold the named pipe $0 open as long as one of their
// descendants runs, and say when they have begun.
var holders = map[string]string{
	"itself":                      `exec 9>"$0"; echo >&9; exec sleep 300`,
	"a child":                     `exec 9>"$0"; sh -c "echo >&9; sleep 300; echo"; echo`,
	"in the background":           `exec 9>"$0"; sleep 300 & echo >&9; wait`,
	"with its output elsewhere":   `exec 9>"$0"; sh -c "echo >&9; sleep 300; echo" >/dev/null 2>&1; echo`,
	"deaf to a request":           `exec 9>"$0"; trap "" TERM; echo >&9; sleep 300; sleep 300`,
	"a child deaf to a request":   `exec 9>"$0"; (trap "" TERM; echo >&9; sleep 300) & wait`,
	"one that its shell outlives": `exec 9>"$0"; sh -c "trap '' TERM; echo >&9; sleep 300" >/dev/null 2>&1 & wait`,
}

// TestNothingIsLeft ends a command's context: nothing of it runs any longer.
func TestNothingIsLeft(t *testing.T) {
	longtest.Skip(t, "waits for commands to be stopped")
	for name, script := range holders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				cmd := command.New(ctx, "sh", "-c", script, pipe)
				cmd.Stdout = new(bytes.Buffer)
				done <- command.Run(ctx, cmd)
			}()
			gone := make(chan error, 1)
			go func() { gone <- readAfter(pipe, cancel) }()
			for what, wait := range map[string]chan error{"the command": done, "what it started": gone} {
				select {
				case err := <-wait:
					if what == "the command" && !errors.Is(err, context.Canceled) || what != "the command" && err != nil {
						t.Errorf("%s: got %v", what, err)
					}
				case <-time.After(time.Minute):
					t.Fatalf("%s still runs", what)
				}
			}
		})
	}
}

// readAfter calls do when the pipe's writer has begun, and returns when all its writers have gone.
func readAfter(pipe string, do func()) error {
	r, err := os.Open(pipe)
	if err != nil {
		return err
	}
	defer r.Close()
	b := bufio.NewReader(r)
	_, err = b.ReadString('\n')
	do()
	_, rest := io.Copy(io.Discard, b)
	return errors.Join(err, rest)
}

func TestRun(t *testing.T) {
	longtest.Skip(t, "waits for commands to be stopped")
	for script, want := range map[string]string{"exit 0": "", "exit 3": "exit status 3", "sleep 300 & echo": ""} {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := command.New(ctx, "sh", "-c", script)
		cmd.Stdout = new(bytes.Buffer)
		err := command.Run(ctx, cmd)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", script, err, want)
		}
		if cmd.Process != nil { // what was left running was left on purpose
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := command.Run(ctx, command.New(ctx, "sh", "-c", "exit 0")); !errors.Is(err, context.Canceled) {
		t.Errorf("never started: got %v", err)
	}
	if err := command.Run(t.Context(), command.New(t.Context(), "/nonexistent/program")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no program: got %v", err)
	}
}
