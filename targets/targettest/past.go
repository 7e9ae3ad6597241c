package targettest

import (
	"slices"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
)

// pastReleases publishes three releases and asks what was live: the newest first, with the
// paths that each had, and the digests of those that were asked for.
func pastReleases(t *testing.T, f Fixture) {
	tgt, ok := targets.As[targets.Historian](t.Context(), f.Open(t, nil))
	if !ok {
		t.Skip("the target remembers nothing")
	}
	wantPast(t, tgt, 10, nil)
	v3 := Files{"index.html": "three", "about/index.html": "about", "new.html": "newer", "odd #% +.html": "x"}
	var all []*site.Release
	for i, files := range []Files{v1, v2, v3} {
		rel := dated(files, i)
		if _, err := Publish(t.Context(), f.Open(t, nil), rel); err != nil {
			t.Fatal(err)
		}
		all = append(all, rel)
	}
	slices.Reverse(all)
	wantPast(t, tgt, 10, all, "index.html", "old.html", "odd #% +.html", "never.html")
	wantPast(t, tgt, 10, all)
	wantPast(t, tgt, 2, all[:2], "index.html", "new.html")
	wantPast(t, f.Open(t, nil).(targets.Historian), 1, all[:1], "css/site.css")
	pastAfterPrune(t, f, all)
}

// pastAfterPrune drops the oldest: it may be forgotten, and nothing else.
func pastAfterPrune(t *testing.T, f Fixture, all []*site.Release) {
	t.Helper()
	tgt := f.Open(t, nil)
	p, ok := targets.As[targets.Pruner](t.Context(), tgt)
	if !ok {
		return
	}
	if err := p.Prune(t.Context(), targets.Retention{Keep: 2}); err != nil {
		t.Fatal(err)
	}
	past, err := tgt.(targets.Historian).Past(t.Context(), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantPast(t, tgt.(targets.Historian), 10, all[:max(2, min(len(past), len(all)))], "index.html")
}

// pastOfOthers asks what was live where another tool put it there.
func pastOfOthers(t *testing.T, f Fixture) {
	tgt, ok := targets.As[targets.Historian](t.Context(), f.Open(t, nil))
	if !ok {
		t.Skip("the target remembers nothing")
	}
	theirs := Files{"index.html": "theirs", "about/index.html": "about", "theirs/page.html": "x"}
	f.Put(t, raw(theirs))
	wantForeign := func(p site.Past) {
		t.Helper()
		if p.Release != site.None {
			t.Errorf("content of others: got release %s, want none", p.Release.Short())
		}
		wantKnown(t, p.Manifest, Release(theirs).Manifest, "index.html")
	}
	past, err := tgt.Past(t.Context(), 10, []string{"index.html"})
	if err != nil || len(past) != 1 {
		t.Fatalf("got %+v, %v; want what is live", past, err)
	}
	wantForeign(past[0])
	mustPublish(t, f.Open(t, nil), v1)
	past, err = tgt.Past(t.Context(), 10, []string{"index.html"})
	if err != nil || len(past) == 0 || past[0].Release != Release(v1).ID() {
		t.Fatalf("after a release: got %+v, %v; want it first", past, err)
	}
	for _, p := range past[1:] { // it may have been forgotten
		wantForeign(p)
	}
}

func wantPast(t *testing.T, tgt targets.Historian, limit int, want []*site.Release, of ...string) {
	t.Helper()
	got, err := tgt.Past(t.Context(), limit, of)
	if err != nil {
		t.Fatalf("past: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("past: got %d releases, want %d", len(got), len(want))
	}
	for i, rel := range want {
		if got[i].Release != rel.ID() {
			t.Errorf("past %d: got %s, want %s", i, got[i].Release.Short(), rel.ID().Short())
			continue
		}
		if at := got[i].Published; !at.IsZero() && at.After(time.Now().Add(time.Hour)) {
			t.Errorf("past %d: published %s, in the future", i, at)
		}
		wantKnown(t, got[i].Manifest, rel.Manifest, of...)
	}
}

// wantKnown fails unless got has the paths of want, their digests where they were asked for,
// and no wrong ones.
func wantKnown(t *testing.T, got, want site.Manifest, of ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d paths, want %d", len(got), len(want))
		return
	}
	for i, f := range got {
		asked := slices.Contains(of, f.Path)
		if f.Path != want[i].Path || f.Digest != want[i].Digest && (asked || !f.Digest.IsZero()) {
			t.Errorf("got %+v, want %+v (asked for: %t)", f, want[i], asked)
		}
	}
}
