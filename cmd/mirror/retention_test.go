package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/site"
	"mirror/targets"
)

// TestRetentionWithoutHistory publishes from one fresh state folder after another, as CI
// runners do. Each kind of target holds the newest releases, as many as are to be kept, and
// no others.
func TestRetentionWithoutHistory(t *testing.T) {
	longtest.Skip(t, "publishes many times")
	t.Parallel()
	const publishes, keep = 8, 3
	r := newTrial(t)
	r.configure("check:\n", fmt.Sprintf("  - {name: disk, type: dir, path: %q}\npublish: {keep_releases: %d}\ncheck:\n", t.TempDir(), keep))
	var all []site.ID
	for i := range publishes {
		r.app.stateDir = filepath.Join(t.TempDir(), "state")
		r.write(map[string]string{"index.html": fmt.Sprint("edition ", i), "404.html": "not here", "same.html": "same"})
		all = append(all, r.publish(publish.Parallel).Release)
	}
	slices.Reverse(all)
	w, err := r.app.open(workspace.NewLines(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	dests, err := w.Destinations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dests {
		for i, id := range all {
			live, err := d.Live(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = d.Commit(t.Context(), targets.Swap{From: live, To: id})
			if held := !errors.Is(err, targets.ErrNotStaged); held != (i < keep) {
				t.Errorf("%s: release %d before the last is held: %v (%v)", d.Name, i, held, err)
			} else if held && err != nil {
				t.Errorf("%s: release %d before the last cannot go live: %v", d.Name, i, err)
			}
		}
	}
}
