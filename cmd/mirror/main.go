// Command mirror publishes one static site to many origins and proves that they agree.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // for cron specs with a zone where the system has no zones: a bare container

	"mirror/internal/crash"
	"mirror/internal/secrets"
	"mirror/internal/workspace"
	"mirror/targets"
	"mirror/targets/kinds"
)

func main() {
	crash.Abort()
	log.SetOutput(io.Discard) // net/http would tell there what hostile origins send
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code; nothing below it exits.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	return runKinds(ctx, kinds.All(), args, getenv, stdin, stdout, stderr)
}

// runKinds is run with the given kinds of target.
func runKinds(ctx context.Context, all targets.Kinds, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	known := secrets.New()
	out, notes := known.Writer(stdout), known.Writer(stderr)
	a := &app{kinds: all, getenv: getenv, stdin: stdin, stdout: out, stderr: notes, secrets: known, warnings: &workspace.Warnings{}}
	known.AddEnvironment(os.Environ(), getenv)
	known.AddArguments(args)
	defer func() {
		if p := recover(); p != nil { // its text may hold a secret: it goes through the scrubber too
			fmt.Fprintf(notes, "panic: %v\n\n%s", p, debug.Stack())
			code = exitFailed
		}
		_, _ = out.Flush(), notes.Flush() // a reader that has gone is no failure of what was done
	}()
	root := a.command()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	return a.conclude(ctx, cmd, args, err)
}
