package targettest

import (
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
)

// manifestBeside publishes releases with their manifests beside them: readers get the manifest of the live release,
// no look at the place takes it for a file of the site, and that of an earlier release goes with it.
func manifestBeside(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	one, two := Release(v1), Release(v2)
	one.PublishManifest, two.PublishManifest = true, true
	mustPublishRelease(t, tgt, one)
	wantRead(t, f, one.SumsPath(), string(one.Sums()))
	wantServed(t, f, f.Open(t, nil), v1)

	tgt = f.Open(t, nil)
	plan, err := tgt.Plan(t.Context(), two)
	if want := []string{"old.html"}; err != nil || len(plan.Changes.Delete) != len(want) || len(plan.Foreign) > 0 || len(plan.Kept) > len(f.Kept) {
		t.Errorf("plan of the next release: got %+v, %v; want it to delete %q and nothing else", plan, err, want)
	}
	swap := mustPublishRelease(t, tgt, two)
	wantRead(t, f, two.SumsPath(), string(two.Sums()))
	wantServed(t, f, f.Open(t, nil), v2)
	if err := tgt.Rollback(t.Context(), swap); err != nil {
		t.Fatalf("roll back: %v", err)
	}
	wantRead(t, f, one.SumsPath(), string(one.Sums()))

	mustPublishRelease(t, f.Open(t, nil), two)
	without := Release(Files{"index.html": "three"})
	last := f.Open(t, nil)
	mustPublishRelease(t, last, without)
	if p, ok := last.(targets.Pruner); ok {
		if err := p.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -time.Minute}); err != nil {
			t.Fatalf("prune: %v", err)
		}
	}
	for _, rel := range []*site.Release{one, without} { // two may stay: it is the release before
		wantGone(t, f, site.SumsPath(rel.ID()))
	}
}

func mustPublishRelease(t *testing.T, tgt targets.Target, rel *site.Release) targets.Swap {
	t.Helper()
	swap, err := Publish(t.Context(), tgt, rel)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return swap
}
