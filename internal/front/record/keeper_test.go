package record_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mirror/internal/front/record"
	"mirror/site"
)

// TestKeeper keeps what was prepared, and never that of another release or of another place in the order.
func TestKeeper(t *testing.T) {
	name := filepath.Join(t.TempDir(), "release")
	k := record.NewKeeper(name)
	bytes := sha256.Sum256([]byte("abc"))
	of := func(sequence int64, path string) record.Release {
		m := site.Manifest{{Path: path, Size: 3, Digest: bytes}}
		return record.Release{Beacon: site.Beacon{Release: m.ID(), Sequence: sequence, Files: len(m)}, Manifest: m}
	}
	one, two, later := of(1, "one"), of(2, "two"), of(3, "two")
	prepare := func(r record.Release) { // it rests for a while after each time
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if err := k.Prepare(r); err != nil {
				t.Fatal(err)
			}
			if got, err := record.Read(name + ".next"); err == nil && got.Release == r.Release {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("it is not prepared")
			}
		}
	}
	for _, step := range []struct {
		what           string
		prepared, kept *record.Release
		renamed        bool
	}{
		{"nothing is prepared", nil, &one, false},
		{"another release is prepared", &one, &two, false},
		{"the same release at another place is prepared", &two, &later, true},
		{"the release is prepared", &two, &two, true},
		{"it was prepared once", nil, &two, false},
	} {
		var before os.FileInfo
		if step.prepared != nil {
			prepare(*step.prepared)
			before, _ = os.Stat(name + ".next")
		}
		if err := k.Keep(*step.kept); err != nil {
			t.Fatal(err)
		}
		got, err := record.Read(name)
		if err != nil || got.Beacon != step.kept.Beacon {
			t.Errorf("%s: %+v is kept (%v)", step.what, got.Beacon, err)
		}
		after, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if renamed := before != nil && os.SameFile(before, after); renamed != step.renamed {
			t.Errorf("%s: renamed is %t", step.what, renamed)
		}
	}
	prepare(one)
	if err := os.Remove(name + ".next"); err != nil { // a visitor's move does not depend on it
		t.Fatal(err)
	}
	if err := k.Keep(one); err != nil {
		t.Fatal(err)
	}
	if got, err := record.Read(name); err != nil || got.Release != one.Release {
		t.Errorf("%v, %v", got.Release, err)
	}
}
