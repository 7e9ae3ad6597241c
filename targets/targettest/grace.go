package targettest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
)

// Assets of releases whose names have a hash of the content.
const (
	asset1, asset2, asset3 = "assets/app-3f2a9c1d.js", "assets/app-9b8c7d6e.js", "assets/app-0a1b2c3d.js"
	lazy1                  = "assets/lazy/chunk-DiwrgTda.js"
)

// Releases that a bundler made.
var (
	g1 = Files{"index.html": "one", asset1: "app 1", lazy1: "lazy 1", "old.html": "old", "empty.txt": ""}
	g2 = Files{"index.html": "two", asset2: "app 2", "empty.txt": ""}
	g3 = Files{"index.html": "three", asset3: "app 3", "empty.txt": ""}
)

func gracing(t *testing.T, f Fixture, releases int) targets.Target {
	t.Helper()
	if f.Gracing == nil {
		t.Skip("the kind of target keeps no files of earlier releases")
	}
	return f.Gracing(t, &grace.Policy{Releases: releases})
}

// wantGrace fails unless a handle from another machine says that just these paths are served beside the live release,
// and they are.
func wantGrace(t *testing.T, f Fixture, live Files, want Files) {
	t.Helper()
	tgt := gracing(t, f, 1)
	wantServed(t, f, tgt, live)
	l, err := tgt.(targets.Gracer).Grace(t.Context())
	if err != nil {
		t.Fatalf("grace: %v", err)
	}
	if paths := slices.Sorted(maps.Keys(want)); !slices.Equal(l.Paths(), paths) {
		t.Errorf("grace: %q beside the release, want %q", l.Paths(), paths)
	}
	for path, text := range want {
		wantRead(t, f, path, text)
	}
	plan, err := tgt.Plan(t.Context(), Release(live))
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	if c := plan.Changes; len(c.Add)+len(c.Change)+len(c.Delete)+len(c.Metadata) > 0 || len(plan.Foreign) > 0 {
		t.Errorf("plan of what is live: changes %+v, foreign %q", c, plan.Foreign)
	}
	for path := range want {
		if !slices.Contains(plan.Kept, path) {
			t.Errorf("plan: %q is not among the kept %q", path, plan.Kept)
		}
	}
}

// graceAssetsStay publishes three releases: the hashed names of the one before stay and count nowhere, the others go.
func graceAssetsStay(t *testing.T, f Fixture) {
	tgt := gracing(t, f, 1)
	mustPublish(t, tgt, g1)
	wantGrace(t, f, g1, nil)
	plan, err := gracing(t, f, 1).Plan(t.Context(), Release(g2))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(plan.Changes.Delete, []string{"old.html"}) || !slices.Equal(plan.Grace.Paths(), []string{asset1, lazy1}) {
		t.Errorf("plan: deletes %q, keeps %q in grace", plan.Changes.Delete, plan.Grace.Paths())
	}
	mustPublish(t, tgt, g2)
	wantGrace(t, f, g2, Files{asset1: "app 1", lazy1: "lazy 1"})
	wantGone(t, f, "old.html")
	mustPublish(t, gracing(t, f, 1), g3)
	wantGrace(t, f, g3, Files{asset2: "app 2"})
	wantGone(t, f, asset1)
	wantGone(t, f, lazy1)
	mustPublish(t, gracing(t, f, 2), g1)
	wantGrace(t, f, g1, Files{asset2: "app 2", asset3: "app 3"})
	plan, err = f.Open(t, nil).Plan(t.Context(), Release(g2)) // nothing stays any more
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{asset1, lazy1, "old.html"}; !slices.Equal(plan.Changes.Delete, want) || len(plan.Grace) > 0 {
		t.Errorf("plan without grace: deletes %q, want %q; keeps %q", plan.Changes.Delete, want, plan.Grace.Paths())
	}
	mustPublish(t, f.Open(t, nil), g2)
	wantGrace(t, f, g2, nil)
	wantGone(t, f, asset3)
	wantGone(t, f, asset1)
}

// graceYieldsToTheRelease publishes a path again that was in grace, with other bytes, and then without it.
func graceYieldsToTheRelease(t *testing.T, f Fixture) {
	tgt := gracing(t, f, 3)
	mustPublish(t, tgt, g1)
	mustPublish(t, tgt, g2)
	again := maps.Clone(g3)
	again[asset1] = "other bytes"
	mustPublish(t, tgt, again)
	wantGrace(t, f, again, Files{asset2: "app 2", lazy1: "lazy 1"})
	wantRead(t, f, asset1, "other bytes")
	mustPublish(t, gracing(t, f, 3), g2)
	wantGrace(t, f, g2, Files{asset1: "other bytes", asset3: "app 3", lazy1: "lazy 1"})
	folder := Files{"index.html": "folders", asset1 + "/x": "x", "assets/lazy": "a file"}
	mustPublish(t, gracing(t, f, 3), folder)
	wantGrace(t, f, folder, Files{asset2: "app 2", asset3: "app 3"})
}

// graceSurvivesRollback undoes a commit: what was served before is served again, the files in grace too.
func graceSurvivesRollback(t *testing.T, f Fixture) {
	tgt := gracing(t, f, 1)
	mustPublish(t, tgt, g1)
	mustPublish(t, tgt, g2)
	_, swap := mustPublish(t, tgt, g3)
	if err := gracing(t, f, 1).Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	wantGrace(t, f, g2, Files{asset1: "app 1", lazy1: "lazy 1"})
	wantGone(t, f, asset3)
	mustPublish(t, gracing(t, f, 1), g3)
	wantGrace(t, f, g3, Files{asset2: "app 2"})
}

// graceIsNotPruned prunes all that may be: what is served stays, and an earlier release is restored whole.
func graceIsNotPruned(t *testing.T, f Fixture) {
	tgt := gracing(t, f, 1)
	mustPublish(t, tgt, g1)
	mustPublish(t, tgt, g2)
	mustPublish(t, tgt, g3)
	if p, ok := targets.As[targets.Pruner](t.Context(), gracing(t, f, 1)); ok {
		if err := p.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -1}); err != nil {
			t.Fatal(err)
		}
	}
	wantGrace(t, f, g3, Files{asset2: "app 2"})
	if r, ok := targets.As[targets.Restorer](t.Context(), gracing(t, f, 1)); ok {
		held, err := r.Restore(t.Context(), Release(g2).ID())
		if err != nil {
			t.Fatalf("restore: %v", err)
		}
		defer held.Close()
		if id := held.Manifest().ID(); id != Release(g2).ID() {
			t.Errorf("restore: got release %s", id)
		}
	}
	mustPublish(t, gracing(t, f, 1), g2)
	wantGrace(t, f, g2, Files{asset3: "app 3"})
	if h, ok := targets.As[targets.Historian](t.Context(), gracing(t, f, 1)); ok {
		past, err := h.Past(t.Context(), 1, nil)
		if err != nil || len(past) == 0 || past[0].Release != Release(g2).ID() || hasPath(past[0].Manifest, asset3) {
			t.Errorf("past: got %+v, %v", past, err)
		}
	}
}

// graceEndsByTime prunes with a policy whose time is over: what stayed is gone, and the release is as before.
func graceEndsByTime(t *testing.T, f Fixture) {
	mustPublish(t, gracing(t, f, 1), g1)
	mustPublish(t, gracing(t, f, 1), g2)
	over := f.Gracing(t, &grace.Policy{For: time.Nanosecond})
	p, ok := targets.As[targets.Pruner](t.Context(), over)
	if !ok || f.Kind.Traits.LateGrace {
		t.Skip("the kind of target ends grace with the next publish")
	}
	for range 2 { // it may be repeated
		if err := p.Prune(t.Context(), targets.Retention{Keep: 3}); err != nil {
			t.Fatal(err)
		}
		wantGrace(t, f, g2, nil)
		wantGone(t, f, asset1)
	}
	mustPublish(t, gracing(t, f, 1), g3)
	wantGrace(t, f, g3, Files{asset2: "app 2"})
}

// graceEndsWithRestores has files leave grace by a later publish: each release that had them is restored whole.
func graceEndsWithRestores(t *testing.T, f Fixture) {
	if _, ok := f.Open(t, nil).(targets.Restorer); !ok {
		t.Skip("earlier releases cannot be had back")
	}
	for _, files := range []Files{g1, g2, g3, {"index.html": "four"}, {"index.html": "five"}} {
		mustPublish(t, gracing(t, f, 1), files)
	}
	wantGone(t, f, asset1)
	wantGone(t, f, asset3)
	for _, files := range []Files{g1, g2, g3} {
		wantRestored(t, f, Release(files))
	}
}

func hasPath(m site.Manifest, path string) bool { _, ok := m.Find(path); return ok }
