package targettest

import (
	"slices"
	"strings"
	"testing"

	"mirror/site"
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

// beaconIsARecord copies a site of ours there by other hands: the only record is its beacon. What
// lies there and is none, is no record.
func beaconIsARecord(t *testing.T, f Fixture) {
	files := raw(Files{"index.html": "one", "old.html": "old"})
	for _, text := range []string{"", "{}", "not a beacon", `{"release":"x"}`, strings.Repeat(" ", site.MaxBeacon) + string(Release(v1).Beacon())} {
		files[site.DefaultBeacon] = []byte(text)
		f.Put(t, files)
		plan, err := f.Open(t, nil).Plan(t.Context(), Release(v2))
		if err != nil {
			t.Fatalf("plan: %v", err)
		}
		if !slices.Contains(plan.Foreign, "old.html") {
			t.Errorf("plan: beside %d bytes that are no beacon: got the foreign files %q, want old.html among them", len(text), plan.Foreign)
		}
	}
	files[site.DefaultBeacon] = Release(v1).Beacon()
	f.Put(t, files)
	if f.NoBeaconRecord {
		wantForeign(t, f.Open(t, nil), v2, "old.html")
		return
	}
	if plan := wantForeign(t, f.Open(t, nil), v2); !slices.Equal(plan.Changes.Delete, []string{"old.html"}) {
		t.Errorf("plan: got %+v, want old.html to be deleted", plan.Changes)
	}
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

var uploads = targets.Keep{"uploads/**", "robots.txt"}

func keeping(t *testing.T, f Fixture) targets.Target {
	t.Helper()
	if f.Keeping == nil {
		t.Skip("the kind of target cannot keep files")
	}
	return f.Keeping(t, uploads)
}

// keptStay uploads files beside a site, and publishes over them: also by a publisher that has
// never been there, over a release in which others have changed files, and again and again.
func keptStay(t *testing.T, f Fixture) {
	mustPublish(t, keeping(t, f), v1)
	f.Put(t, raw(Files{"uploads/a b.jpg": "a", "uploads/deep/er/b.jpg": "b", "robots.txt": "*", "evil.html": "evil"}))
	kept := []string{"robots.txt", "uploads/a b.jpg", "uploads/deep/er/b.jpg"}
	for _, files := range []Files{v1, v2, v1} {
		tgt := keeping(t, f)
		plan := wantKept(t, f, tgt, files, kept...)
		for _, path := range plan.Changes.Delete {
			if slices.Contains(kept, path) {
				t.Errorf("plan: %q is deleted", path)
			}
		}
		mustPublish(t, tgt, files)
		wantServed(t, f, keeping(t, f), files)
		wantGone(t, f, "evil.html")
		wantRead(t, f, "uploads/a b.jpg", "a")
		wantRead(t, f, "uploads/deep/er/b.jpg", "b")
		wantRead(t, f, "robots.txt", "*")
	}
	f.Put(t, map[string][]byte{"uploads/a b.jpg": []byte("newer"), "uploads/deep/er/b.jpg": nil, "uploads/c.jpg": []byte("c")})
	mustPublish(t, keeping(t, f), v2)
	wantServed(t, f, keeping(t, f), v2)
	wantRead(t, f, "uploads/a b.jpg", "newer")
	wantRead(t, f, "uploads/c.jpg", "c")
	wantGone(t, f, "uploads/deep/er/b.jpg")
	mustPublish(t, f.Open(t, nil), v1) // nothing is kept any more
	wantServed(t, f, f.Open(t, nil), v1)
	wantGone(t, f, "uploads/c.jpg")
}

// keptNeedNoAdoption fills a place with what is kept, and with what is not.
func keptNeedNoAdoption(t *testing.T, f Fixture) {
	tgt := keeping(t, f)
	f.Put(t, raw(Files{"uploads/a.jpg": "a", "index.html": "theirs"}))
	wantForeign(t, tgt, v1)
	wantHeld(t, tgt, Release(Files{"index.html": "theirs"}).Manifest)
	f.Put(t, raw(Files{"theirs.html": "x"}))
	wantForeign(t, tgt, v1, "theirs.html")
	mustPublish(t, tgt, v1)
	wantServed(t, f, tgt, v1)
	wantRead(t, f, "uploads/a.jpg", "a")
	wantKept(t, f, keeping(t, f), v1, "uploads/a.jpg")
}

// keptSurviveRollback stages, uploads a file, commits and rolls back: the file is there before and after.
func keptSurviveRollback(t *testing.T, f Fixture) {
	tgt := keeping(t, f)
	mustPublish(t, tgt, v1)
	f.Put(t, raw(Files{"uploads/a.jpg": "a"}))
	_, swap := mustPublish(t, tgt, v2)
	wantRead(t, f, "uploads/a.jpg", "a")
	if err := keeping(t, f).Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	wantRead(t, f, "uploads/a.jpg", "a")
	wantRead(t, f, "index.html", v1["index.html"])
	wantGone(t, f, "new.html")
	mustPublish(t, tgt, v2)
	wantServed(t, f, tgt, v2)
	wantRead(t, f, "uploads/a.jpg", "a")
}

// siteWinsOverKept publishes a release that has a kept path of its own: it is published, changed
// and healed as any other, and left where a later release lacks it.
func siteWinsOverKept(t *testing.T, f Fixture) {
	tgt := keeping(t, f)
	mustPublish(t, tgt, v1)
	f.Put(t, raw(Files{"uploads/logo.png": "theirs", "uploads/a.jpg": "a"}))
	with := Files{"index.html": "three", "uploads/logo.png": "ours"}
	mustPublish(t, tgt, with)
	wantServed(t, f, keeping(t, f), with)
	wantRead(t, f, "uploads/a.jpg", "a")
	f.Put(t, raw(Files{"uploads/logo.png": "tampered"}))
	if plan := wantKept(t, f, keeping(t, f), with, "uploads/a.jpg"); !slices.Equal(plan.Changes.Change, []string{"uploads/logo.png"}) {
		t.Errorf("plan: got %+v, want uploads/logo.png to change", plan.Changes)
	}
	mustPublish(t, tgt, with)
	wantServed(t, f, tgt, with)
	mustPublish(t, tgt, v1)
	wantServed(t, f, keeping(t, f), v1)
	wantRead(t, f, "uploads/logo.png", "ours")
}

// wantKept fails unless the plan keeps the paths and what the kind keeps by itself, and nothing else.
func wantKept(t *testing.T, f Fixture, tgt targets.Target, files Files, want ...string) targets.Plan {
	t.Helper()
	plan, err := tgt.Plan(t.Context(), Release(files))
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	all := slices.Sorted(slices.Values(slices.Concat(f.Kept, want)))
	if !slices.Equal(plan.Kept, all) {
		t.Errorf("plan: keeps %q, want %q", plan.Kept, all)
	}
	if slices.Contains(plan.Kept, site.DefaultBeacon) {
		t.Error("plan: the beacon is kept")
	}
	return plan
}
