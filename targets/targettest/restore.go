package targettest

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"mirror/site"
	"mirror/targets"
)

// restored opens earlier releases from another machine, and makes one of them live again: with its
// files as they are held, and a beacon of its own.
func restored(t *testing.T, f Fixture) {
	if _, ok := targets.As[targets.Restorer](t.Context(), f.Open(t, nil)); !ok {
		t.Skip("earlier releases cannot be had back")
	}
	wantNotHeld(t, f, Release(v1).ID()) // of an empty place
	var all []*site.Release
	for i, files := range []Files{v1, v2, {"index.html": "three", "odd #% +.html": "x", "css/site.css/deep.txt": "y"}} {
		rel := dated(files, i)
		rel.Sequence = int64(i + 1)
		goLive(t, f, rel)
		all = append(all, rel)
	}
	wantNotHeld(t, f, Release(Files{"never.html": "x"}).ID())
	for _, rel := range all {
		wantRestored(t, f, rel)
	}
	again := dated(v1, 5)
	again.Sequence, again.Rollback = 4, true
	plan, err := f.Open(t, nil).Plan(t.Context(), again)
	if err != nil || plan.Sequence != 3 {
		t.Errorf("plan: sequence %d, %v; want 3", plan.Sequence, err)
	}
	goLive(t, f, again)
	wantServed(t, f, f.Open(t, nil), v1)
	wantRead(t, f, site.DefaultBeacon, string(again.Beacon()))
	wantRestored(t, f, all[1])
	wantRestored(t, f, all[2])
	goLive(t, f, all[2]) // and forward
	wantServed(t, f, f.Open(t, nil), Files{"index.html": "three", "odd #% +.html": "x", "css/site.css/deep.txt": "y"})
}

func wantNotHeld(t *testing.T, f Fixture, id site.ID) {
	t.Helper()
	if r, err := f.Open(t, nil).(targets.Restorer).Restore(t.Context(), id); !errors.Is(err, targets.ErrNotHeld) {
		t.Errorf("restore of what is not held: got %v, %v; want ErrNotHeld", r, err)
	}
}

// wantRestored fails unless the target gives all files of a release.
func wantRestored(t *testing.T, f Fixture, rel *site.Release) {
	t.Helper()
	r, err := f.Open(t, nil).(targets.Restorer).Restore(t.Context(), rel.ID())
	if err != nil {
		t.Errorf("restore %s: %v", index(rel), err)
		return
	}
	defer r.Close()
	if !slices.Equal(r.Manifest(), rel.Manifest) {
		t.Errorf("restore %s: got %v, want %v", index(rel), r.Manifest(), rel.Manifest)
	}
	for _, file := range rel.Manifest {
		want, err := rel.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := r.Copy(t.Context(), &got, file); err != nil || got.String() != string(want) {
			t.Errorf("restore %s: %q: got %s, %v; want %s", index(rel), file.Path, brief(got.String()), err, brief(string(want)))
		}
	}
}
