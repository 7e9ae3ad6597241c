package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mirror/internal/state"
	"mirror/site"
)

func open(t *testing.T) state.Folder {
	t.Helper()
	f, err := state.Open(filepath.Join(t.TempDir(), state.Name))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOwnerStays(t *testing.T) {
	f := open(t)
	first, err := f.Owner()
	if err != nil || first == "" {
		t.Fatalf("got %q, %v", first, err)
	}
	if again, err := f.Owner(); err != nil || again != first {
		t.Errorf("got %q, %v; want %q", again, err, first)
	}
	if other, err := open(t).Owner(); err != nil || other == first {
		t.Errorf("another folder: got %q, %v; want another owner", other, err)
	}
}

func TestReleasesNewestFirstAndBounded(t *testing.T) {
	f, began := open(t), time.Now()
	var last site.ID
	for i := range 25 {
		m := site.Manifest{{Path: fmt.Sprintf("%d.html", i), Size: int64(i), Digest: site.Digest{1}}}
		last = m.ID()
		if err := f.SaveRelease(state.Published{Release: last, When: began.Add(time.Duration(i) * time.Second), Manifest: m}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := f.Releases()
	if err != nil || len(all) != 20 || all[0].Release != last || all[0].Manifest[0].Size != 24 {
		t.Errorf("got %d releases, %v; want 20 with the last one first", len(all), err)
	}
}

func TestDamagedReleaseIsPassedOver(t *testing.T) {
	f := open(t)
	m := site.Manifest{{Path: "index.html", Digest: site.Digest{1}}}
	if err := f.SaveRelease(state.Published{Release: m.ID(), When: time.Now(), Manifest: m}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(f.Dir(), "releases", string(m.ID())+".json")
	if err := os.WriteFile(file, []byte(`{"release":"`+string(m.ID())+`"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if all, err := f.Releases(); err != nil || len(all) != 0 {
		t.Errorf("got %v, %v; want none", all, err)
	}
}

func TestLagsAreMedians(t *testing.T) {
	f := open(t)
	for _, seen := range []time.Duration{9 * time.Second, 2 * time.Second} {
		if err := f.LearnLags(map[string]time.Duration{"a": seen, "b": time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := f.Lags(); err != nil || got["a"] != 2*time.Second || got["b"] != time.Second {
		t.Errorf("got %v, %v; want the smaller of two", got, err)
	}
	for range 20 {
		if err := f.LearnLags(map[string]time.Duration{"a": 3 * time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.LearnLags(map[string]time.Duration{"a": time.Hour}); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Lags(); err != nil || got["a"] != 3*time.Second {
		t.Errorf("after an outage: got %v, %v; want 3s", got, err)
	}
	if err := os.WriteFile(filepath.Join(f.Dir(), "lags.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Lags(); err != nil || len(got) != 0 {
		t.Errorf("damaged: got %v, %v; want none", got, err)
	}
}
