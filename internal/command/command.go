// Package command runs the programs that a config names, and leaves nothing of one behind when
// its context ends.
package command

import (
	"context"
	"errors"
	"os/exec"
	"time"
)

// Grace is how long a command that is told to end has for that before it is killed, and how
// long its output is waited for when the command itself has ended: something that it left
// running may hold the pipe open.
const Grace = 2 * time.Second

// New returns the command, not yet started. Like its descendants it gets a session of its own
// where the system has such: an interrupt at the terminal does not reach it, the end of ctx
// does, and what it would ask at the terminal fails.
func New(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = Grace
	isolate(cmd)
	return cmd
}

// Run runs a command of New. When ctx ends before the command does, all its descendants are
// told to end, and killed after a time of grace; the error wraps that of ctx. What a command that
// ended by itself has left running is left alone.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	err := unstarted(cmd, cmd.Run())
	if ctx.Err() != nil {
		killRest(cmd)
		return errors.Join(ctx.Err(), ended(err))
	}
	return ended(err)
}

// ended is the error of a command that has ended, whatever it has left running.
func ended(err error) error {
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}
