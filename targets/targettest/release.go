package targettest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
)

// Two releases that differ in every way.
var (
	v1 = Files{"index.html": "one", "about/index.html": "about", "css/site.css": "a{}", "old.html": "old", "empty.txt": ""}
	v2 = Files{"index.html": "two", "about/index.html": "about", "css/site.css": "b{}", "new.html": "new", "empty.txt": ""}
)

// Files is a site's content by path.
type Files map[string]string

// Release makes a release of the files, with a beacon at the usual place.
func Release(files Files) *site.Release {
	m, fsys := make(site.Manifest, 0, len(files)), fstest.MapFS{}
	for path, text := range files {
		m = append(m, site.File{Path: path, Size: int64(len(text)), Digest: sha256.Sum256([]byte(text))})
		fsys[path] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	m.Sort()
	return site.NewRelease(m, fsys, site.DefaultBeacon, published)
}

var published = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

// Publish takes a target through plan, stage and commit.
func Publish(ctx context.Context, tgt targets.Target, rel *site.Release) (targets.Swap, error) {
	plan, err := tgt.Plan(ctx, rel)
	if err != nil {
		return targets.Swap{}, fmt.Errorf("plan: %w", err)
	}
	swap := targets.Swap{From: plan.Live, To: rel.ID()}
	if err := tgt.Stage(ctx, rel, nil); err != nil {
		return swap, fmt.Errorf("stage: %w", err)
	}
	if err := tgt.Commit(ctx, swap); err != nil {
		return swap, fmt.Errorf("commit: %w", err)
	}
	return swap, nil
}

func mustPublish(t *testing.T, tgt targets.Target, files Files) (*site.Release, targets.Swap) {
	t.Helper()
	rel := Release(files)
	swap, err := Publish(t.Context(), tgt, rel)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return rel, swap
}

// wantServed fails unless exactly the files are what readers get and what is stored.
func wantServed(t *testing.T, f Fixture, tgt targets.Target, files Files) {
	t.Helper()
	rel := Release(files)
	wantLive(t, tgt, rel.ID())
	for path, text := range files {
		wantRead(t, f, path, text)
	}
	beacon, err := f.Read(site.DefaultBeacon)
	if err != nil || !strings.Contains(string(beacon), string(rel.ID())) {
		t.Errorf("beacon: got %q, %v; want it to name %s", beacon, err, rel.ID())
	}
	wantHeld(t, tgt, rel.Manifest)
	plan, err := tgt.Plan(t.Context(), rel)
	if err != nil || !plan.Changes.Empty() || plan.Changes.Same != len(files) {
		t.Errorf("plan of what is live: got %+v, %v; want %d same and no change", plan, err, len(files))
	}
}

func wantLive(t *testing.T, tgt targets.Target, id site.ID) {
	t.Helper()
	live, err := tgt.Live(t.Context())
	if err != nil || live.Release != id {
		t.Fatalf("live: got %+v, %v; want release %s", live, err, id.Short())
	}
	if id != site.None && live.Revision == "" {
		t.Errorf("live: %s has no revision", id.Short())
	}
}

func wantRead(t *testing.T, f Fixture, path, text string) {
	t.Helper()
	got, err := f.Read(path)
	if err != nil || string(got) != text {
		t.Errorf("read %q: got %s, %v; want %s", path, brief(string(got)), err, brief(text))
	}
}

func wantGone(t *testing.T, f Fixture, path string) {
	t.Helper()
	if got, err := f.Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read %q: got %s, %v; want fs.ErrNotExist", path, brief(string(got)), err)
	}
}

func wantHeld(t *testing.T, tgt targets.Target, want site.Manifest) {
	t.Helper()
	got, err := tgt.ReadBack(t.Context())
	if err != nil {
		t.Fatalf("read back: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("read back: %d files, want %d; differences %+v", len(got), len(want), diff.Manifests(got, want))
	}
}

func wantPlan(t *testing.T, tgt targets.Target, rel *site.Release, want diff.Changes) targets.Plan {
	t.Helper()
	plan, err := tgt.Plan(t.Context(), rel)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	got := plan.Changes
	if !slices.Equal(got.Add, want.Add) || !slices.Equal(got.Change, want.Change) ||
		!slices.Equal(got.Delete, want.Delete) || got.Same != want.Same {
		t.Errorf("plan: got %+v, want %+v", got, want)
	}
	return plan
}

func brief(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%q… (%d bytes)", s[:60], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// pages makes n pages with the given text in each, spread over folders.
func pages(n int, text string) Files {
	files := Files{"index.html": "<h1>" + text + "</h1>"}
	for i := 1; i < n; i++ {
		files[fmt.Sprintf("posts/%02d/%04d.html", i%10, i)] = fmt.Sprintf("<p>%d %s</p>", i, text)
	}
	return files
}

func raw(files Files) map[string][]byte {
	out := map[string][]byte{}
	for path, text := range files {
		out[path] = bytes.Clone([]byte(text))
	}
	return out
}

// dated is a release of a day of its own.
func dated(files Files, day int) *site.Release {
	rel := Release(files)
	rel.Published = published.AddDate(0, 0, day)
	return rel
}
