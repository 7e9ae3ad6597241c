package command

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// Shell returns a command that the system's shell runs: sh, or on Windows cmd.exe.
func Shell(ctx context.Context, line string) *exec.Cmd {
	shell := os.Getenv("COMSPEC")
	if !filepath.IsAbs(shell) {
		shell = filepath.Join(os.Getenv("SystemRoot"), "System32", "cmd.exe")
	}
	cmd := New(ctx, shell)
	cmd.SysProcAttr.CmdLine = shellLine(shell, line)
	return cmd
}

// isolate gives the command a process group, so that Ctrl-C does not reach it, and has the end of its
// context end it with all its descendants.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
	cmd.Cancel = func() error {
		if endTree(cmd.Process.Pid) != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
}

// endTree ends a process and its descendants. Windows keeps no such tree: taskkill goes by the numbers of
// the parents.
func endTree(pid int) error {
	ctx, cancel := context.WithTimeout(context.Background(), Grace)
	defer cancel()
	return exec.CommandContext(ctx, filepath.Join(os.Getenv("SystemRoot"), "System32", "taskkill.exe"), "/T", "/F", "/PID", strconv.Itoa(pid)).Run()
}

// killRest has nothing to do: endTree left none that it could find.
func killRest(*exec.Cmd) {}
