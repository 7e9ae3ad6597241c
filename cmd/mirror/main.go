// Command mirror publishes one static site to many origins and proves that they agree.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // for cron specs with a zone where the system has no zones: a bare container

	"mirror/targets"
	"mirror/targets/kinds"
)

func main() {
	log.SetOutput(io.Discard) // net/http would tell there what hostile origins send
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code; nothing below it exits.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	return runKinds(ctx, kinds.All(), args, getenv, stdin, stdout, stderr)
}

// runKinds is run with the given kinds of target.
func runKinds(ctx context.Context, all targets.Kinds, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{kinds: all, getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.command()
	root.SetArgs(args)
	return a.exitCode(ctx, root.ExecuteContext(ctx))
}
