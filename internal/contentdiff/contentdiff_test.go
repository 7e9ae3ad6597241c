package contentdiff_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"mirror/internal/contentdiff"
	"mirror/reports"
	"mirror/targets"
	"mirror/targets/targettest"
)

// store is a target that holds files and can do nothing else.
type store struct {
	targets.Target
	files map[string]string
	err   error
}

func (s store) ReadContents(_ context.Context, paths []string, limit int64) (map[string][]byte, error) {
	found := map[string][]byte{}
	for _, p := range paths {
		if text, ok := s.files[p]; ok && int64(len(text)) <= limit {
			found[p] = []byte(text)
		}
	}
	return found, s.err
}

func on(name string, target targets.Target, paths ...string) contentdiff.Change {
	return contentdiff.Change{Destination: targets.Destination{Name: name, Target: target}, Paths: paths}
}

func TestDiffsAreSharedByTargetsWithTheSameContent(t *testing.T) {
	rel := targettest.Release(targettest.Files{"a.html": "one\ntwo\nthree\n", "b.png": "\x89PNG\x00new"})
	old := map[string]string{"a.html": "one\n2\nthree\n", "b.png": "\x89PNG\x00"}
	diffs, left := contentdiff.Of(t.Context(), rel, []contentdiff.Change{
		on("bucket", store{files: old}, "a.html", "b.png"),
		on("pages", store{files: old}, "a.html"),
		on("disk", store{files: map[string]string{"a.html": "altered"}}, "a.html"),
		on("image", store{err: errors.New("no route")}, "a.html"),
		on("ftp", nil, "a.html"),
	})
	want := []reports.PlanDiff{
		{Path: "a.html", Targets: []string{"bucket", "pages"}, OldBytes: 12, NewBytes: 14, Diff: "@@ -1,3 +1,3 @@\n one\n-2\n+two\n three\n"},
		{Path: "a.html", Targets: []string{"disk"}, OldBytes: 7, NewBytes: 14, Diff: "@@ -1,1 +1,3 @@\n-altered\n\\ No newline at end of file\n+one\n+two\n+three\n"},
		{Path: "a.html", Targets: []string{"image"}, OldBytes: -1, NewBytes: 14, Note: "the live content was not read: no route"},
		{Path: "a.html", Targets: []string{"ftp"}, OldBytes: -1, NewBytes: 14, Note: "this kind of target returns no single files"},
		{Path: "b.png", Targets: []string{"bucket"}, OldBytes: 5, NewBytes: 8, Note: "binary"},
	}
	if left != 0 || fmt.Sprintf("%+v", diffs) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %d left and\n%+v\nwant\n%+v", left, diffs, want)
	}
}

// TestDiffsAreBounded has more files than are compared, a large one, and one whose diff is large.
func TestDiffsAreBounded(t *testing.T) {
	files, old := targettest.Files{}, map[string]string{}
	for i := range contentdiff.MaxFiles + 3 {
		name := fmt.Sprintf("%02d.html", i)
		files[name], old[name] = "new", "old"
	}
	files["00.html"] = strings.Repeat("x", 1<<20+1)
	files["01.html"], old["01.html"] = strings.Repeat("new line\n", 100_000), strings.Repeat("old line\n", 100_000)
	files["02.html"] = strings.Repeat("y", 1<<20)
	old["03.html"] = strings.Repeat("z", 1<<20+1)
	rel := targettest.Release(files)
	diffs, left := contentdiff.Of(t.Context(), rel, []contentdiff.Change{on("bucket", store{files: old}, slices.Sorted(maps.Keys(files))...)})
	if left != 3 || len(diffs) != contentdiff.MaxFiles {
		t.Fatalf("got %d diffs and %d left, want %d and 3", len(diffs), left, contentdiff.MaxFiles)
	}
	for i, want := range map[int]string{0: "not compared: larger than 1 MiB", 1: "", 2: "long lines are broken after > ; and }", 3: "not compared: larger than 1 MiB, or not a regular file,", 4: ""} {
		if diffs[i].Note != want || len(diffs[i].Diff) > 65<<10 || strings.HasPrefix(want, "not") != (diffs[i].Diff == "") {
			t.Errorf("%s: got the note %q and a diff of %d bytes, want %q", diffs[i].Path, diffs[i].Note, len(diffs[i].Diff), want)
		}
	}
}

// TestDiffOfAMinifiedPage shows the one element that changed of a page in one line.
func TestDiffOfAMinifiedPage(t *testing.T) {
	page := strings.Repeat("<p>same</p>", 200) + "<h1>%s</h1>" + strings.Repeat("<i>end</i>", 200)
	rel := targettest.Release(targettest.Files{"a.html": fmt.Sprintf(page, "new")})
	diffs, _ := contentdiff.Of(t.Context(), rel, []contentdiff.Change{on("bucket", store{files: map[string]string{"a.html": fmt.Sprintf(page, "old")}}, "a.html")})
	if len(diffs) != 1 || !strings.Contains(diffs[0].Diff, "-old</h1>\n+new</h1>\n") || len(diffs[0].Diff) > 500 {
		t.Errorf("got %+v, want a diff of one element", diffs)
	}
}
