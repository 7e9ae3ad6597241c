package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"mirror/internal/longtest"
)

// openTerminal returns both ends of a new pseudo-terminal.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	var n, locked int32
	ioctl(t, keyboard, syscall.TIOCGPTN, &n)
	ioctl(t, keyboard, syscall.TIOCSPTLCK, &locked)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

func ioctl(t *testing.T, f *os.File, request uintptr, arg *int32) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
		t.Fatalf("ioctl %#x: %v", request, errno)
	}
}

// TestAdoptionIsAskedOnATerminal publishes to a folder that holds files of others.
func TestAdoptionIsAskedOnATerminal(t *testing.T) {
	longtest.Skip(t, "runs the program on a terminal")
	for _, c := range []struct {
		name, answer string
		args         []string
		code         int
		adopted      bool
	}{
		{"yes", "y\n", nil, exitAgree, true},
		{"yes, in full and quiet", "YES\n", []string{"-q"}, exitAgree, true},
		{"no", "n\n", nil, exitFailed, false},
		{"nothing said", "\n", nil, exitFailed, false},
		{"something else", "yeah\n", nil, exitFailed, false},
		{"the end of the input", "\x04", nil, exitFailed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := foreignPlace(t)
			code, screen := onTerminal(t, dir, c.answer, append([]string{"publish"}, c.args...)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d; on the screen:\n%s", code, c.code, screen)
			}
			if !strings.Contains(screen, "Delete all 1 of them? (y/N)") || !strings.Contains(screen, "uploads/a.jpg") {
				t.Errorf("the question is not on the screen:\n%s", screen)
			}
			if !c.adopted && !strings.Contains(screen, "--adopt") {
				t.Errorf("the way out is not on the screen:\n%s", screen)
			}
			_, err := os.Stat(filepath.Join(dir, "www/current/uploads/a.jpg"))
			if gone := errors.Is(err, os.ErrNotExist); gone != c.adopted {
				t.Errorf("the foreign file: %v, adopted %t", err, c.adopted)
			}
		})
	}
}

// TestTheQuestionQuotesNames asks about files of whose names one forges a line, where they are most of
// what the folder holds.
func TestTheQuestionQuotesNames(t *testing.T) {
	dir := foreignPlace(t)
	for _, name := range []string{"b\nDelete nothing?", "c.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, "www/theirs/uploads", name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, screen := onTerminal(t, dir, "n\n", "publish")
	if code != exitFailed || !strings.Contains(screen, `"uploads/b\nDelete nothing?"`) || !strings.Contains(screen, "Delete all 3 of them? (y/N)") {
		t.Errorf("exit code %d; on the screen:\n%s", code, screen)
	}
}

// onTerminal runs the program with stdin and stderr on a terminal, types the answer when it is
// asked, and returns the exit code and what was on the screen.
func onTerminal(t *testing.T, dir, answer string, args ...string) (code int, screen string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	keyboard, terminal := openTerminal(t)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, terminal, terminal
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	var seen bytes.Buffer
	for buf, typed := make([]byte, 4096), false; ; {
		n, err := keyboard.Read(buf)
		seen.Write(buf[:n])
		if !typed && strings.Contains(seen.String(), "(y/N)") {
			typed = true
			if _, err := io.WriteString(keyboard, answer); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil { // the program has closed its end
			break
		}
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), seen.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return exitAgree, seen.String()
}
