package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"mirror/internal/realserver"
)

// TestScripts runs the whole program as users do; each script is one story.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			path, err := binary()
			if err != nil {
				return err
			}
			env.Setenv("MIRROR", path)
			docs, err := filepath.Abs("../../docs")
			if err != nil {
				return err
			}
			env.Setenv("DOCS", docs)
			for _, name := range []string{"PORT1", "PORT2", "PORT3"} {
				port, release, err := realserver.ClaimPort()
				if err != nil {
					return err
				}
				env.Defer(release)
				env.Setenv(name, strconv.Itoa(port))
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"mirror": runMirror,
			"within": runWithin,
			"listen": awaitPort,
			"write":  writeFile,
		},
	})
}

// runMirror is `mirror CODE ARGS…`: it runs the program and wants that exit code.
func runMirror(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mirror EXITCODE ARGS…")
	}
	if code, want := exitOf(ts, args[1:]), args[0]; want != fmt.Sprint(code) {
		ts.Fatalf("mirror %v: exit code %d, want %s", args[1:], code, want)
	}
}

// exitOf runs the program and returns its exit code.
func exitOf(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(ts.Getenv("MIRROR"), args...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// runWithin is `within FLAG EXITCODE PATTERN ARGS…`: it runs the program with FLAG 300ms, and
// with more time each time that it prints no match or ends otherwise, as on a busy machine.
func runWithin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: within FLAG EXITCODE PATTERN ARGS…")
	}
	want, err := regexp.Compile(args[2])
	ts.Check(err)
	var code int
	for patience := 300 * time.Millisecond; patience < time.Minute; patience *= 4 {
		code = exitOf(ts, append(slices.Clone(args[3:]), args[0], patience.String()))
		if fmt.Sprint(code) == args[1] && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("mirror %v: exit code %d, want %s, and %s in\n%s", args[3:], code, args[1], args[2], ts.ReadFile("stdout"))
}

// awaitPort is `listen PORT`: it waits until something accepts connections there.
func awaitPort(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for ticker := time.NewTicker(10 * time.Millisecond); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+args[0])
		if err == nil {
			ts.Check(conn.Close())
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("nothing listens on port %s", args[0])
		case <-ticker.C:
		}
	}
}

// writeFile is `write FILE LINE…`.
func writeFile(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(args[1:], "\n")), 0o644))
}
