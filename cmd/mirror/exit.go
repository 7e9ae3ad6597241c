package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"mirror/internal/workspace"
)

// The exit codes, of every command.
const (
	exitAgree       = 0
	exitDisagree    = 1
	exitUsage       = 2
	exitFailed      = 3
	exitRolledBack  = 4
	exitMixed       = 5
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done; every origin agrees
  1    the origins disagree: drift was found, or a publish did not converge in time
  2    bad usage or config; nothing was attempted
  3    could not do or could not judge; live origins are unchanged
  4    a publish failed part-way and was rolled back
  5    a publish failed and could not be rolled back: origins may be mixed
  130  interrupted; the next run recovers`

// exit is an error with the exit code that it calls for. Err may be nil where all has been
// said already.
type exit struct {
	code int
	err  error
}

// Error is that of Err; of a bare exit it is the code.
func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns Err.
func (e *exit) Unwrap() error { return e.err }

// usage is an error for which nothing was attempted.
func usage(err error) error { return &exit{exitUsage, err} }

// ending joins a verdict's exit with what went wrong with writing it: the verdict's code is
// the one that a gate must see.
func ending(verdict, written error) error {
	if e, ok := errors.AsType[*exit](verdict); ok && written != nil {
		return &exit{e.code, written}
	}
	return cmp.Or(verdict, written)
}

// errInterrupted stands before what an interrupt kept from being done.
var errInterrupted = errors.New("interrupted")

// outcome returns the exit code of an error, and what to say of it.
func outcome(ctx context.Context, err error) (int, error) {
	if err == nil {
		return exitAgree, nil
	}
	code := exitFailed
	if _, misused := errors.AsType[*workspace.UsageError](err); misused {
		code = exitUsage
	}
	if e, ok := errors.AsType[*exit](err); ok {
		code, err = e.code, e.err
	}
	if ctx.Err() != nil && code != exitMixed {
		code = exitInterrupted
		if err == nil || errors.Is(err, context.Canceled) {
			err = errInterrupted
		}
	}
	return code, err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
