package targettest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
)

// erased publishes a secret, which the next release has under another name too and the third not at all, and removes it
// from all that the place keeps.
func erased(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	if f.Gracing != nil {
		tgt = gracing(t, f, 3)
	}
	eraser, ok := targets.As[targets.Eraser](t.Context(), tgt)
	if !ok {
		t.Skip("the kind of target cannot remove what it keeps")
	}
	const secret, copied = "assets/keys-3f2a9c1d.js", "hidden/keys.txt"
	first := Files{"index.html": "one", secret: "the password", "empty.txt": "", "shared.txt": "shared"}
	second := Files{"index.html": "two", secret: "the password", copied: "the password", "empty.txt": "", "shared.txt": "shared"}
	third := Files{"index.html": "three", "empty.txt": "", "shared.txt": "shared", "other.txt": "other"}
	r1, _ := mustPublish(t, tgt, first)
	r2, _ := mustPublish(t, tgt, second)
	e := targets.Erasure{Paths: []string{secret}, Live: Release(third)}
	if _, err := eraser.Erase(t.Context(), e); !errors.Is(err, targets.ErrConflict) {
		t.Errorf("erase while another release is live: got %v, want a conflict", err)
	}
	mustPublish(t, tgt, third)
	for range 2 { // it may be repeated
		if _, err := eraser.Erase(t.Context(), e); err != nil {
			t.Fatalf("erase: %v", err)
		}
	}
	wantServed(t, f, f.Open(t, nil), third)
	wantGone(t, f, secret)
	wantGone(t, f, copied)
	if f.Holds != nil {
		if where := f.Holds(t, "the password"); where != "" {
			t.Errorf("%s has the content still", where)
		}
	}
	for _, rel := range []site.ID{r1.ID(), r2.ID()} {
		wantPurged(t, f.Open(t, nil), rel)
	}
	wantListedAsPurged(t, f, r1.ID(), r2.ID())
	tgt = f.Open(t, nil)
	for _, files := range []Files{v1, first, third} {
		mustPublish(t, tgt, files)
		wantServed(t, f, tgt, files)
	}
	wantRestorable(t, f.Open(t, nil), r1.ID())
}

// wantListedAsPurged fails unless what the target lists of releases is named as purged.
func wantListedAsPurged(t *testing.T, f Fixture, ids ...site.ID) {
	t.Helper()
	tgt := f.Open(t, nil)
	h, remembers := tgt.(targets.Historian)
	if !remembers {
		return
	}
	l, lists := tgt.(targets.PurgedLister)
	if !lists {
		t.Error("the target does not list the releases that were purged")
		return
	}
	past, err := h.Past(t.Context(), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	purged, err := l.Purged(t.Context(), past)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range past {
		if _, listed := purged[p.Release]; listed && !slices.Contains(ids, p.Release) {
			t.Errorf("release %s is listed as purged", p.Release.Short())
		}
	}
	if f.NoPurgeRecord && len(purged) == 0 {
		t.Log("the place does not say which releases were purged")
		return
	}
	for _, id := range ids {
		if at, listed := purged[id]; !listed || time.Since(at) > time.Hour {
			t.Errorf("release %s is listed as purged: %v, at %v", id.Short(), listed, at)
		}
	}
}

// wantRestorable fails unless a release whose content was purged and then published again can be restored.
func wantRestorable(t *testing.T, tgt targets.Target, id site.ID) {
	t.Helper()
	r, ok := tgt.(targets.Restorer)
	if !ok {
		return
	}
	held, err := r.Restore(t.Context(), id)
	if err != nil {
		t.Errorf("restore of a release that was published again after the purge: %v", err)
		return
	}
	defer held.Close()
	for _, f := range held.Manifest() {
		var text bytes.Buffer
		if err := held.Copy(t.Context(), &text, f); err != nil || site.Digest(sha256.Sum256(text.Bytes())) != f.Digest {
			t.Errorf("%s: %d bytes, %v", f.Path, text.Len(), err)
		}
	}
}

// wantPurged fails unless a release can no longer be restored.
func wantPurged(t *testing.T, tgt targets.Target, id site.ID) {
	t.Helper()
	r, ok := targets.As[targets.Restorer](t.Context(), tgt)
	if !ok {
		return
	}
	held, err := r.Restore(t.Context(), id)
	if err == nil {
		_ = held.Close()
	}
	if !errors.Is(err, targets.ErrNotHeld) {
		t.Errorf("restore of a release that had the file: got %v, want that it is not held", err)
	} else if !strings.Contains(err.Error(), "purged") {
		t.Logf("restore does not say that the file was purged: %v", err)
	}
}

// HoldsText returns a file below a folder that has a text in it, "" for none.
func HoldsText(t *testing.T, folder, text string) (where string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(content, []byte(text)) {
			where = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}
