package dir_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/dir"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

func TestTarget(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		path := filepath.Join(t.TempDir(), "blog")
		return targettest.Fixture{
			Kind: dir.Kind(),
			Open: func(t *testing.T, _ http.RoundTripper) targets.Target { return open(t, path) },
			Guarded: func(t *testing.T, _ string, _ time.Duration, _ http.RoundTripper) targets.Target {
				return open(t, path)
			},
			Keeping: func(t *testing.T, keep targets.Keep) targets.Target {
				tgt, err := dir.New(t.Context(), targets.Env{Keep: keep}, func(c any) error { c.(*dir.Config).Path = path; return nil })
				must(t, err)
				return tgt
			},
			Gracing: func(t *testing.T, policy *grace.Policy) targets.Target {
				tgt, err := dir.New(t.Context(), targets.Env{Grace: policy}, func(c any) error { c.(*dir.Config).Path = path; return nil })
				must(t, err)
				return tgt
			},
			Read:  func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(path, "current", name)) },
			Holds: func(t *testing.T, text string) string { return targettest.HoldsText(t, path, text) },
			Put:   func(t *testing.T, files map[string][]byte) { edit(t, path, files) },
		}
	})
}

func open(t testing.TB, path string) *dir.Target {
	t.Helper()
	tgt, err := dir.Open(dir.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// edit edits the live folder; where nothing is live it makes one of its own.
func edit(t *testing.T, path string, files map[string][]byte) {
	t.Helper()
	live := filepath.Join(path, "current")
	if _, err := os.Stat(live); err != nil {
		must(t, os.MkdirAll(filepath.Join(path, "theirs"), 0o755))
		must(t, os.Symlink("theirs", live))
	}
	for name, text := range files {
		file := filepath.Join(live, name)
		if text == nil {
			must(t, os.Remove(file))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, text, 0o644))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPruneKeepsLiveAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blog")
	tgt := open(t, path)
	var ids []site.ID
	for _, text := range []string{"one", "two", "three"} {
		rel := targettest.Release(targettest.Files{"index.html": text})
		if _, err := targettest.Publish(t.Context(), tgt, rel); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, rel.ID())
	}
	must(t, tgt.Prune(t.Context(), targets.Retention{Keep: 2}))
	for i, want := range []bool{false, true, true} {
		_, err := os.Stat(filepath.Join(path, "releases", string(ids[i])))
		if got := err == nil; got != want {
			t.Errorf("release %d is there: got %v, want %v", i+1, got, want)
		}
	}
}

func TestCurrentThatIsAFolderIsLeftAlone(t *testing.T) {
	path := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(path, "current"), 0o755))
	if _, err := targettest.Publish(t.Context(), open(t, path), targettest.Release(targettest.Files{"index.html": "x"})); err == nil {
		t.Error("published over a folder that is not ours")
	}
}

func TestPastLeavesOutWhatWasOnlyStagedAndWhatIsForged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blog")
	tgt := open(t, path)
	one := targettest.Release(targettest.Files{"index.html": "one"})
	two := targettest.Release(targettest.Files{"index.html": "two"})
	staged := targettest.Release(targettest.Files{"index.html": "staged"})
	for _, rel := range []*site.Release{one, two} {
		if _, err := targettest.Publish(t.Context(), tgt, rel); err != nil {
			t.Fatal(err)
		}
	}
	must(t, tgt.Stage(t.Context(), staged, nil))
	wantReleases(t, tgt, two.ID(), one.ID())
	if _, err := targettest.Publish(t.Context(), tgt, one); err != nil { // live again
		t.Fatal(err)
	}
	wantReleases(t, tgt, one.ID(), two.ID())
	must(t, os.WriteFile(filepath.Join(path, "releases", string(two.ID())+".sha256"), []byte("forged"), 0o644))
	wantReleases(t, tgt, one.ID())
	must(t, tgt.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -1}))
	if left, err := os.ReadDir(filepath.Join(path, "releases")); err != nil || len(left) != 4 {
		t.Errorf("after a prune: %v, %v; want the live release, the one before it, and their lists", left, err)
	}
	wantReleases(t, tgt, one.ID())
}

func wantReleases(t *testing.T, tgt *dir.Target, want ...site.ID) {
	t.Helper()
	past, err := tgt.Past(t.Context(), 10, nil)
	var got []site.ID
	for _, p := range past {
		got = append(got, p.Release)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("past: got %v, %v; want %v", got, err, want)
	}
}
