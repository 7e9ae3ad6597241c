//go:build unix

package oci

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mirror/targets"
	"mirror/targets/targettest"
)

// TestInterruptedRolloutLeavesNothing interrupts a publish whose rollout has a child of its own,
// which holds a named pipe open for as long as it runs.
func TestInterruptedRolloutLeavesNothing(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, embeddedRegistry(t))
	p.config.Rollout.Exec = []string{"sh", "-c", `exec 9>"$0"; sh -c "echo >&9; sleep 300; echo"; echo`, pipe}
	tgt := p.open(t, targets.Env{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gone := make(chan error, 1)
	go func() {
		r, err := os.Open(pipe)
		if err == nil {
			_, err = r.Read(make([]byte, 1))
			cancel()
			_, rest := io.Copy(io.Discard, r)
			err = errors.Join(err, rest, r.Close())
		}
		gone <- err
	}()
	if _, err := targettest.Publish(ctx, tgt, targettest.Release(pages)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the interrupt", err)
	}
	select {
	case err := <-gone:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the rollout's child still runs")
	}
}
