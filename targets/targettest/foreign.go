package targettest

import (
	"slices"
	"testing"

	"mirror/targets"
)

// foreignFiles puts files into a place that no publish has reached: a plan tells which of them
// would be lost. Once a release was live there, an injected file is an ordinary deletion, also
// for a publisher that has never been there.
func foreignFiles(t *testing.T, f Fixture) {
	f.Put(t, raw(Files{"index.html": "theirs", "theirs/b.html": "b", "theirs/a.html": "a"}))
	tgt := f.Open(t, nil)
	wantForeign(t, tgt, v1, "theirs/a.html", "theirs/b.html")
	mustPublish(t, tgt, v1)
	wantForeign(t, f.Open(t, nil), v1)
	f.Put(t, map[string][]byte{"evil.html": []byte("evil"), "index.html": []byte("defaced")})
	plan := wantForeign(t, f.Open(t, nil), v2)
	if !slices.Contains(plan.Changes.Delete, "evil.html") {
		t.Errorf("plan: got %+v, want evil.html to be deleted", plan.Changes)
	}
	if !slices.Equal(plan.Kept, f.Kept) {
		t.Errorf("plan: keeps %q, want %q", plan.Kept, f.Kept)
	}
	mustPublish(t, f.Open(t, nil), v2)
	wantServed(t, f, tgt, v2)
}

// foreignSubset puts a part of the release there by other hands: nothing of it is lost.
func foreignSubset(t *testing.T, f Fixture) {
	f.Put(t, raw(Files{"index.html": "theirs", "about/index.html": "about"}))
	wantForeign(t, f.Open(t, nil), v1)
}

func wantForeign(t *testing.T, tgt targets.Target, files Files, want ...string) targets.Plan {
	t.Helper()
	plan, err := tgt.Plan(t.Context(), Release(files))
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	if !slices.Equal(plan.Foreign, want) {
		t.Errorf("plan: got the foreign files %q, want %q", plan.Foreign, want)
	}
	for _, path := range want {
		if !slices.Contains(plan.Changes.Delete, path) {
			t.Errorf("plan: the foreign file %q is not among the deleted %q", path, plan.Changes.Delete)
		}
	}
	return plan
}
