package targettest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
)

func emptyPlace(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	wantLive(t, tgt, site.None)
	wantHeld(t, tgt, nil)
	wantGone(t, f, "index.html")
}

func firstRelease(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	plan := wantPlan(t, tgt, Release(v1), diff.Changes{Add: slices.Sorted(maps.Keys(v1))})
	if plan.Bytes != Release(v1).Manifest.Bytes() {
		t.Errorf("plan: got %d bytes, want %d", plan.Bytes, Release(v1).Manifest.Bytes())
	}
	mustPublish(t, tgt, v1)
	wantServed(t, f, tgt, v1)
	wantServed(t, f, f.Open(t, nil), v1)
}

func nextRelease(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, v1)
	wantPlan(t, f.Open(t, nil), Release(v2), diff.Changes{
		Add: []string{"new.html"}, Change: []string{"css/site.css", "index.html"}, Delete: []string{"old.html"}, Same: 2,
	})
	mustPublish(t, tgt, v2)
	wantServed(t, f, tgt, v2)
	wantGone(t, f, "old.html")
}

func oddNames(t *testing.T, f Fixture) {
	files := Files{
		"with space.html": "1", "a#b.html": "2", "100%.html": "3", "what?.html": "4", "a+b.html": "5",
		"文章/你好 世界.html": "6", "%2b.html": "7", "%255C.html": "8", "25% In.html": "9", "-dash.html": "10",
		".dot/file": "11", "a&b=c;d,e.html": "12", "quote'\"`.html": "13", "a:b@c!$*().html": "14",
		"caf\u00e9.html": "15", "cafe\u0301.html": "16", "Case.html": "17", "case.html": "18",
		"back\\slash.html": "19", "[x]{y}<z>|^~.html": "20", "index.html": "home", "sub/index.html": "sub",
		strings.Repeat("deep/", 40) + "end.html": "21", strings.Repeat("長", 70) + ".html": "22",
	}
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, files)
	wantServed(t, f, f.Open(t, nil), files)
}

func fileAndFolder(t *testing.T, f Fixture) {
	file := Files{"index.html": "home", "about": "a file", "docs/x": "x"}
	folder := Files{"index.html": "home", "about/index.html": "a folder", "about/deep/x": "x", "docs": "now a file"}
	tgt := f.Open(t, nil)
	for _, files := range []Files{file, folder, file} {
		mustPublish(t, tgt, files)
		wantServed(t, f, tgt, files)
	}
}

func massDelete(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	many, few := pages(300, "many"), Files{"index.html": "few"}
	mustPublish(t, tgt, many)
	mustPublish(t, tgt, few)
	wantServed(t, f, f.Open(t, nil), few)
	wantGone(t, f, "posts/01/0001.html")
}

func earlierAgain(t *testing.T, f Fixture) {
	for _, files := range []Files{v1, v2, v1, v2} {
		tgt := f.Open(t, nil)
		mustPublish(t, tgt, files)
		wantServed(t, f, tgt, files)
	}
}

// sameTreeAgain puts a release's very bytes there by other hands, then publishes it.
func sameTreeAgain(t *testing.T, f Fixture) {
	f.Put(t, raw(v1))
	tgt := f.Open(t, nil)
	wantLive(t, tgt, site.None)
	mustPublish(t, tgt, v1)
	wantServed(t, f, tgt, v1)
}

func stageIsInvisible(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, v1)
	before, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tgt.Stage(t.Context(), Release(v2), nil); err != nil {
		t.Fatal(err)
	}
	if after, err := tgt.Live(t.Context()); err != nil || after != before {
		t.Errorf("live after stage: got %+v, %v; want %+v", after, err, before)
	}
	wantServed(t, f, tgt, v1)
	wantGone(t, f, "new.html")
}

func stageAgain(t *testing.T, f Fixture) {
	tgt, rel := f.Open(t, nil), Release(v1)
	for range 3 {
		if err := tgt.Stage(t.Context(), rel, nil); err != nil {
			t.Fatal(err)
		}
	}
	mustPublish(t, tgt, v1)
	wantServed(t, f, tgt, v1)
}

func stageResumes(t *testing.T, f Fixture) {
	files := pages(60, "resumed")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tgt := f.Open(t, nil)
	err := tgt.Stage(ctx, Release(files), &meter{onSent: cancel})
	if err == nil {
		t.Log("stage had ended before the cancel reached it")
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled stage: got %v, want context.Canceled", err)
	}
	wantLive(t, f.Open(t, nil), site.None)
	wantGone(t, f, "index.html")
	tgt = f.Open(t, nil)
	mustPublish(t, tgt, files)
	wantServed(t, f, tgt, files)
}

func stageRefusesChanged(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, v1)
	rel := Release(v2)
	changed := fstest.MapFS{}
	for path, text := range v2 {
		changed[path] = &fstest.MapFile{Data: []byte(text)}
	}
	changed["new.html"] = &fstest.MapFile{Data: []byte("NEW")}
	torn := site.NewRelease(rel.Manifest, changed, site.DefaultBeacon, published)
	if err := tgt.Stage(t.Context(), torn, nil); !errors.Is(err, site.ErrChanged) {
		t.Errorf("stage of changed bytes: got %v, want site.ErrChanged", err)
	}
	live, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tgt.Commit(t.Context(), targets.Swap{From: live, To: rel.ID()}); !errors.Is(err, targets.ErrNotStaged) {
		t.Errorf("commit of a torn stage: got %v, want ErrNotStaged", err)
	}
	wantServed(t, f, tgt, v1)
}

func concurrentUse(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, v1)
	errs := make(chan error, 12)
	for range cap(errs) / 3 {
		go func() { _, err := tgt.Live(t.Context()); errs <- err }()
		go func() { _, err := tgt.Plan(t.Context(), Release(v2)); errs <- err }()
		go func() { errs <- tgt.Stage(t.Context(), Release(v2), nil) }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Errorf("at once: %v", err)
		}
	}
	mustPublish(t, tgt, v2)
	wantServed(t, f, tgt, v2)
}
