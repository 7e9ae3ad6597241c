package dir_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mirror/internal/static"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/dir"
	"mirror/targets/targettest"
)

// TestAPointerFileInPlaceOfALink publishes where the system permits no symbolic link.
func TestAPointerFileInPlaceOfALink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blog")
	current := filepath.Join(path, "current")
	tgt := dir.WithoutLinks(open(t, path))
	one, two := targettest.Release(targettest.Files{"index.html": "one"}), targettest.Release(targettest.Files{"index.html": "two", "a/b.css": "b"})
	served := func() string {
		text, err := fs.ReadFile(static.Dir(current), "index.html")
		if err != nil {
			t.Errorf("served: %v", err)
		}
		return string(text)
	}
	var before []targets.Live
	for _, rel := range []*site.Release{one, two} {
		live, err := tgt.Live(t.Context())
		must(t, err)
		before = append(before, live)
		must(t, tgt.Stage(t.Context(), rel, nil))
		must(t, tgt.Commit(t.Context(), targets.Swap{From: live, To: rel.ID()}))
		held, err := tgt.ReadBack(t.Context())
		if err != nil || !slices.Equal(held, rel.Manifest) {
			t.Errorf("read back: got %v, %v", held, err)
		}
		if info, err := os.Lstat(current); err != nil || !info.Mode().IsRegular() {
			t.Errorf("current: got %v, %v; want a file", info, err)
		}
	}
	if got := served(); got != "two" {
		t.Errorf("served %q, want two", got)
	}
	if plan, err := tgt.Plan(t.Context(), two); err != nil || !plan.Changes.Empty() || plan.Live.Release != two.ID() {
		t.Errorf("plan: got %+v, %v; want no change", plan, err)
	}
	if past, err := tgt.Past(t.Context(), 5, nil); err != nil || len(past) != 2 {
		t.Errorf("past: got %d, %v; want both releases", len(past), err)
	}
	must(t, tgt.Prune(t.Context(), targets.Retention{}))
	if got := served(); got != "two" {
		t.Errorf("after prune: served %q, want two", got)
	}
	must(t, tgt.Stage(t.Context(), one, nil))
	must(t, tgt.Rollback(t.Context(), targets.Swap{From: before[1], To: two.ID()}))
	if got := served(); got != "one" {
		t.Errorf("after a rollback: served %q, want one", got)
	}
	// A link takes the place of the file once the system permits one.
	must(t, open(t, path).Commit(t.Context(), targets.Swap{From: before[1], To: two.ID()}))
	if got := served(); got != "two" {
		t.Errorf("after a commit with a link: served %q, want two", got)
	}
}

// TestNamesThatAFileSystemCannotHold are refused before anything is staged.
func TestNamesThatAFileSystemCannotHold(t *testing.T) {
	for name, c := range map[string]struct {
		windows, folds bool
		files          targettest.Files
		refused        string
	}{
		"device":              {windows: true, files: targettest.Files{"docs/aux.html": "x"}, refused: "docs/aux.html"},
		"colon":               {windows: true, files: targettest.Files{"10:00.html": "x"}, refused: "10:00.html"},
		"backslash":           {windows: true, files: targettest.Files{`a\b.html`: "x"}, refused: `a\b.html`},
		"device elsewhere":    {folds: true, files: targettest.Files{"docs/aux.html": "x"}},
		"case":                {folds: true, files: targettest.Files{"Tags.html": "x", "tags.html": "x"}, refused: "tags.html"},
		"case told apart":     {windows: true, files: targettest.Files{"Tags.html": "x", "tags.html": "x"}},
		"the beacon's folder": {folds: true, files: targettest.Files{".Well-Known/x": "x"}, refused: site.DefaultBeacon},
	} {
		path := filepath.Join(t.TempDir(), "blog")
		tgt, rel := dir.OnSystem(open(t, path), c.windows, c.folds), targettest.Release(c.files)
		rel.BeaconPath = site.DefaultBeacon
		_, planned := tgt.Plan(t.Context(), rel)
		for what, err := range map[string]error{"plan": planned, "stage": tgt.Stage(t.Context(), rel, nil)} {
			var refusal *targets.RefusedError
			switch {
			case c.refused == "" && err != nil, c.refused != "" && !errors.As(err, &refusal):
				t.Errorf("%s: %s: got %v", name, what, err)
			case c.refused != "" && filepath.Base(refusal.Path) != filepath.Base(c.refused) && refusal.Path != ".well-known":
				t.Errorf("%s: %s: refused %q, want %q", name, what, refusal.Path, c.refused)
			}
		}
		if _, err := os.Stat(path); c.refused != "" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something was staged: %v", name, err)
		}
	}
}
