package oci

import (
	"context"
	"errors"
	"testing"

	"mirror/targets"
	"mirror/targets/targettest"
)

// TestAFencedCommitChangesNothing has another publisher take the other places of a publish right
// before its registry's tag would move.
func TestAFencedCommitChangesNothing(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	tgt := p.open(t, targets.Env{})
	v1, v2 := targettest.Files{"index.html": "one"}, targettest.Files{"index.html": "two"}
	if _, err := targettest.Publish(t.Context(), tgt, targettest.Release(v1)); err != nil {
		t.Fatal(err)
	}
	live, err := tgt.Live(t.Context())
	if err == nil {
		err = tgt.Stage(t.Context(), targettest.Release(v2), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	swap := targets.Swap{From: live, To: targettest.Release(v2).ID()}
	asked := 0
	lost := targets.WithFence(t.Context(), func(context.Context) error { asked++; return targets.ErrConflict })
	if err := tgt.Commit(lost, swap); !errors.Is(err, targets.ErrConflict) || asked != 1 {
		t.Errorf("got %v after %d questions, want ErrConflict after one", err, asked)
	}
	if now, err := tgt.Live(t.Context()); err != nil || now != live {
		t.Errorf("live: got %+v, %v; want %+v", now, err, live)
	}
	held := targets.WithFence(t.Context(), func(context.Context) error { asked++; return nil })
	if err := tgt.Commit(held, swap); err != nil || asked != 2 {
		t.Errorf("got %v after %d questions", err, asked)
	}
}
