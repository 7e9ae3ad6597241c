//go:build unix

package command_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mirror/internal/command"
	"mirror/internal/longtest"
)

// TestStartedProgramIsEnded ends the context of a program that is read from: reading ends, and
// nothing of it runs any longer.
func TestStartedProgramIsEnded(t *testing.T) {
	longtest.Skip(t, "waits for commands to be stopped")
	for _, how := range []string{"itself", "a child deaf to a request"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			gone := make(chan error, 1)
			go func() { gone <- readAfter(pipe, cancel) }()
			p, err := command.Start(ctx, os.Environ(), io.Discard, "sh", "-c", holders[how], pipe)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, p.Out) // until it is ended
			if err := p.Wait(); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
			if err := <-gone; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStart talks to a program that leaves another one behind, which holds its standard error.
func TestStart(t *testing.T) {
	var stderr bytes.Buffer
	p, err := command.Start(t.Context(), os.Environ(), &stderr, "sh", "-c", `sleep 300 >&- & cat; yes complaint | head -n 5000 >&2; exit 3`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p.In, "hello"); err != nil {
		t.Fatal(err)
	}
	_ = p.In.Close()
	out, err := io.ReadAll(p.Out)
	if waited := p.Wait(); err != nil || string(out) != "hello" || waited == nil || !strings.Contains(waited.Error(), "exit status 3") {
		t.Errorf("got %q, %v, %v", out, err, waited)
	}
	if want := strings.Repeat("complaint\n", 5000); stderr.String() != want {
		t.Errorf("stderr: got %d bytes, want %d", stderr.Len(), len(want))
	}
	if err := syscall.Kill(-p.Pid(), syscall.SIGKILL); err != nil {
		t.Errorf("what was left running on purpose was ended: %v", err)
	}
	if _, err := command.Start(t.Context(), nil, io.Discard, "/nonexistent/program"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no program: got %v", err)
	}
}
