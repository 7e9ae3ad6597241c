//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirror/internal/longtest"
)

// TestInterruptedBuildLeavesNothing interrupts a publish while a child of its build runs, which
// holds a named pipe open until it ends.
func TestInterruptedBuildLeavesNothing(t *testing.T) {
	longtest.Skip(t, "waits for builds to be stopped")
	t.Parallel()
	w := newBrittleWorld(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(w.dir + "/mirror.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w.write("mirror.yaml", strings.Replace(string(config), `build: "true"`, `build: sh build.sh`, 1))
	w.write("build.sh", "exec 9>"+pipe+"; sh -c 'echo >&9; sleep 300; echo'; echo")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	gone := make(chan error, 1)
	go func() {
		r, err := os.Open(pipe)
		if err == nil {
			_, err = r.Read(make([]byte, 1))
			interrupt()
			_, rest := io.Copy(io.Discard, r)
			err = errors.Join(err, rest, r.Close())
		}
		gone <- err
	}()
	code, doc, errs := w.run(ctx, "publish", "--build", "--json")
	if code != exitInterrupted || doc.Error != errInterrupted.Error() {
		t.Errorf("got exit code %d, %+v\n%s", code, doc, errs)
	}
	select {
	case err := <-gone:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the build's child still runs")
	}
}
