package targettest

import (
	"errors"
	"testing"

	"mirror/site"
	"mirror/targets"
)

func commitNotStaged(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	_, swap := mustPublish(t, tgt, v1)
	live, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	never := targets.Swap{From: live, To: Release(Files{"never.html": "staged"}).ID()}
	if err := tgt.Commit(t.Context(), never); !errors.Is(err, targets.ErrNotStaged) {
		t.Errorf("got %v, want ErrNotStaged", err)
	}
	wantServed(t, f, tgt, v1)
	if swap.To != live.Release {
		t.Errorf("live: got %s, want %s", live.Release.Short(), swap.To.Short())
	}
}

func commitElsewhere(t *testing.T, f Fixture) {
	rel := Release(v1)
	if err := f.Open(t, nil).Stage(t.Context(), rel, nil); err != nil {
		t.Fatal(err)
	}
	other := f.Open(t, nil)
	live, err := other.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Commit(t.Context(), targets.Swap{From: live, To: rel.ID()}); err != nil {
		t.Fatal(err)
	}
	wantServed(t, f, f.Open(t, nil), v1)
}

func commitAgain(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	_, swap := mustPublish(t, tgt, v1)
	if err := tgt.Commit(t.Context(), swap); err != nil {
		t.Errorf("the same commit by the same hand: %v", err)
	}
	if err := f.Open(t, nil).Commit(t.Context(), swap); err != nil {
		t.Errorf("the same commit by another: %v", err)
	}
	wantServed(t, f, tgt, v1)
}

func staleSwap(t *testing.T, f Fixture) {
	slow, quick := f.Open(t, nil), f.Open(t, nil)
	mustPublish(t, slow, v1)
	rel := Release(Files{"index.html": "slow"})
	plan, err := slow.Plan(t.Context(), rel)
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.Stage(t.Context(), rel, nil); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, quick, v2)
	if err := slow.Commit(t.Context(), targets.Swap{From: plan.Live, To: rel.ID()}); !errors.Is(err, targets.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	wantServed(t, f, f.Open(t, nil), v2)
}

func rollback(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, v1)
	_, swap := mustPublish(t, tgt, v2)
	if err := f.Open(t, nil).Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	wantServed(t, f, f.Open(t, nil), v1)
	wantGone(t, f, "new.html")
	if err := f.Open(t, nil).Rollback(t.Context(), swap); err != nil {
		t.Errorf("the same rollback again: %v", err)
	}
	wantServed(t, f, tgt, v1)
	mustPublish(t, tgt, v2)
	wantServed(t, f, tgt, v2)
}

func rollbackToNothing(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	_, swap := mustPublish(t, tgt, v1)
	if err := tgt.Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	wantLive(t, f.Open(t, nil), site.None)
	wantHeld(t, tgt, nil)
	for path := range v1 {
		wantGone(t, f, path)
	}
	wantGone(t, f, site.DefaultBeacon)
	mustPublish(t, f.Open(t, nil), v2)
	wantServed(t, f, tgt, v2)
}

func rollbackOfNothing(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, v1)
	plan, err := tgt.Plan(t.Context(), Release(v2))
	if err != nil {
		t.Fatal(err)
	}
	if err := tgt.Stage(t.Context(), Release(v2), nil); err != nil {
		t.Fatal(err)
	}
	if err := tgt.Rollback(t.Context(), targets.Swap{From: plan.Live, To: Release(v2).ID()}); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	wantServed(t, f, tgt, v1)
}

func rollbackThirdState(t *testing.T, f Fixture) {
	third := Files{"index.html": "third"}
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, v1)
	_, swap := mustPublish(t, tgt, v2)
	mustPublish(t, f.Open(t, nil), third)
	if err := tgt.Rollback(t.Context(), swap); !errors.Is(err, targets.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	wantServed(t, f, f.Open(t, nil), third)
}

func foreignContent(t *testing.T, f Fixture) {
	foreign := Files{"index.html": "theirs", "about/index.html": "about", "theirs/page.html": "x"}
	f.Put(t, raw(foreign))
	tgt := f.Open(t, nil)
	live, err := tgt.Live(t.Context())
	if err != nil || live.Release != site.None || live.Revision == "" {
		t.Errorf("live: got %+v, %v; want no release and a revision", live, err)
	}
	wantHeld(t, tgt, Release(foreign).Manifest)
	_, swap := mustPublish(t, tgt, v1)
	wantServed(t, f, tgt, v1)
	wantGone(t, f, "theirs/page.html")
	if err := f.Open(t, nil).Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	for path, text := range foreign {
		wantRead(t, f, path, text)
	}
	wantGone(t, f, "old.html")
	wantHeld(t, f.Open(t, nil), Release(foreign).Manifest)
}

// tampering changes, removes and adds a live file behind the target's back: ReadBack and
// Plan both see it, and a publish of the same release heals it.
func tampering(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	rel, _ := mustPublish(t, tgt, v1)
	f.Put(t, map[string][]byte{"index.html": []byte("ONE"), "old.html": nil, "evil.html": []byte("evil")})
	wantRead(t, f, "index.html", "ONE")
	for _, tgt := range []targets.Target{tgt, f.Open(t, nil)} {
		wantHeld(t, tgt, Release(Files{"index.html": "ONE", "evil.html": "evil", "about/index.html": "about", "css/site.css": "a{}", "empty.txt": ""}).Manifest)
		plan, err := tgt.Plan(t.Context(), rel)
		if err != nil {
			t.Fatal(err)
		}
		if c := plan.Changes; len(c.Add) != 1 || len(c.Change) != 1 || len(c.Delete) != 1 {
			t.Errorf("plan after tampering: got %+v, want one of each", c)
		}
	}
	mustPublish(t, tgt, v1)
	wantServed(t, f, f.Open(t, nil), v1)
	wantGone(t, f, "evil.html")
}
