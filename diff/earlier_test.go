package diff_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
)

// TestOnlyWhatAnEarlierReleaseServedIsOfIt judges answers and names them: the bytes of an earlier
// release under the status that the path has are of it, and pass while the release is young.
// Everything else counts.
func TestOnlyWhatAnEarlierReleaseServedIsOfIt(t *testing.T) {
	before := releaseOf(1, map[string]string{"page.html": "one", "404.html": "none", "old.html": "old"})
	lastly := releaseOf(2, map[string]string{"page.html": "two", "404.html": "no such page", "old.html": "old"})
	now := releaseOf(3, map[string]string{"page.html": "three", "404.html": "no such page", "new.html": "new"})
	next := releaseOf(4, map[string]string{"page.html": "four", "404.html": "no such page"})
	page := func(path string) diff.Expectation {
		f, ok := now.Manifest.Find(path)
		if !ok {
			t.Fatalf("no %s", path)
		}
		return diff.Expectation{File: f}
	}
	unknown := page("404.html")
	unknown.NotFound = true
	removed := diff.Expectation{File: site.File{Path: "old.html"}, Absent: true}
	folder := page("page.html")
	folder.Folder = true
	for _, c := range []struct {
		name   string
		want   diff.Expectation
		status int
		text   string
		kind   diff.Kind
		named  bool // and let pass by the age of the release
	}{
		{"a page of the release before", page("page.html"), 200, "two", diff.Stale, true},
		{"its bytes under another status", page("page.html"), 203, "two", diff.Altered, false},
		{"a folder's page of the release before", folder, 200, "two", diff.Stale, true},
		{"a folder's under another status", folder, 206, "two", diff.Altered, false},
		{"the not-found page of an earlier release", unknown, 404, "none", diff.Stale, true},
		{"the same, gone", unknown, 410, "none", diff.Stale, true},
		{"that of an earlier release as a page", unknown, 200, "none", diff.Altered, false},
		{"a soft 404", unknown, 200, "no such page", diff.Altered, false},
		{"forbidden with the right bytes", unknown, 403, "no such page", diff.Altered, false},
		{"a removed page as it was", removed, 200, "old", diff.Extra, true},
		{"a removed page answered by a soft 404", removed, 200, "no such page", diff.Extra, false},
		{"a removed page under another status", removed, 203, "old", diff.Extra, false},
		{"a page that was not there before", page("new.html"), 404, "no such page", diff.Missing, true},
		{"its right bytes under 404", page("new.html"), 404, "new", diff.Missing, false},
	} {
		o := answer(func(o *site.Observation) {
			o.Status, o.Digest, o.Size = c.status, sha256.Sum256([]byte(c.text)), int64(len(c.text))
			o.Raw = o.Digest
		})
		d, ok := diff.Judge(c.want, o)
		if ok {
			t.Errorf("%s: agrees", c.name)
			continue
		}
		diff.NewChronicle(now.Release, []site.Past{next, now, lastly, before}).Name(&d)
		if d.Tolerated != "" {
			t.Errorf("%s: let pass, since %s", c.name, d.Tolerated)
		}
		v := verdictOf(d)
		v.Tolerate(diff.Tolerance{Window: time.Minute})
		if passes := v.Origins[0].State() == diff.Agrees; d.Kind != c.kind || passes != c.named {
			t.Errorf("%s: got %s of release %q, %q, passes: %v", c.name, d.Kind, d.Release, d.Detail, passes)
		}
	}
}

// TestWholeOriginsAreOfNoRelease names no page "*", which no release has.
func TestWholeOriginsAreOfNoRelease(t *testing.T) {
	before := releaseOf(1, map[string]string{"a": "a1"})
	d := diff.Difference{Path: "*", Kind: diff.Missing, Status: 404}
	diff.NewChronicle("now", []site.Past{before}).Name(&d)
	if d.Release != site.None || d.Behind != 0 {
		t.Errorf("an origin that has nothing is of release %s: %s", d.Release.Short(), d.Detail)
	}
}

// TestNamesOnce names twice, as is done when a second source tells of the past.
func TestNamesOnce(t *testing.T) {
	story := diff.NewChronicle("now", []site.Past{releaseOf(1, map[string]string{"a": "a1"})})
	d := diff.Difference{Path: "new", Kind: diff.Missing, Status: 404, Detail: "answered 404"}
	story.Name(&d)
	if story.Name(&d); d.Detail != "answered 404, as before it was added" || !d.Earlier {
		t.Errorf("got %q", d.Detail)
	}
}
