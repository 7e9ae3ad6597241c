package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
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
	code := 0
	err := ts.Exec(ts.Getenv("MIRROR"), args[1:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := args[0]; want != fmt.Sprint(code) {
		ts.Fatalf("mirror %v: exit code %d, want %s", args[1:], code, want)
	}
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
