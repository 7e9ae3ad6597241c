//go:build !windows

package command

import (
	"context"
	"os/exec"
)

// Shell returns a command that the system's shell runs: sh, or on Windows cmd.exe.
func Shell(ctx context.Context, line string) *exec.Cmd { return New(ctx, "sh", "-c", line) }
