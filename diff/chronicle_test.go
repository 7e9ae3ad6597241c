package diff_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
)

// releaseOf makes a past release of paths and their texts.
func releaseOf(day int, texts map[string]string) site.Past {
	var m site.Manifest
	for path, text := range texts {
		m = append(m, site.File{Path: path, Size: int64(len(text)), Digest: sha256.Sum256([]byte(text))})
	}
	m.Sort()
	return site.Past{Release: m.ID(), Published: time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC), Manifest: m}
}

func TestChronicleNames(t *testing.T) {
	oldest := releaseOf(1, map[string]string{"a": "a1", "b": "b1", "gone": "gone"})
	older := releaseOf(2, map[string]string{"a": "a2", "b": "b1"})
	now := releaseOf(3, map[string]string{"a": "a3", "b": "b3", "new": "new"})
	newest := releaseOf(4, map[string]string{"a": "a4", "b": "b3", "new": "new"})
	tampered := releaseOf(2, map[string]string{"a": "tampered"})
	tampered.Release = site.None
	story := diff.NewChronicle(now.Release, []site.Past{newest, tampered, now, tampered, older, oldest})
	for _, c := range []struct {
		name, path, text string
		kind, want       diff.Kind
		release          site.ID
		behind           int
		tolerated        bool
	}{
		{"the release before", "a", "a2", diff.Altered, diff.Stale, older.Release, 1, false},
		{"the oldest", "a", "a1", diff.Altered, diff.Stale, oldest.Release, 2, false},
		{"the same bytes in two: the nearer", "b", "b1", diff.Altered, diff.Stale, older.Release, 1, false},
		{"of none", "a", "tampered", diff.Altered, diff.Altered, "", 0, false},
		{"another page's bytes", "a", "b1", diff.Altered, diff.Altered, "", 0, false},
		{"of a later one", "a", "a4", diff.Altered, diff.Altered, newest.Release, -1, true},
		{"removed", "gone", "gone", diff.Extra, diff.Extra, oldest.Release, 2, false},
		{"removed, other bytes", "gone", "other", diff.Extra, diff.Extra, oldest.Release, 2, false},
		{"never ours", "stray", "stray", diff.Extra, diff.Extra, "", 0, false},
		{"not there yet", "new", "", diff.Missing, diff.Missing, older.Release, 1, false},
		{"lost", "a", "", diff.Missing, diff.Missing, "", 0, false},
	} {
		d := diff.Difference{Path: c.path, Kind: c.kind}
		if c.text != "" {
			d.Got = sha256.Sum256([]byte(c.text))
		}
		story.Name(&d)
		if d.Kind != c.want || d.Release != c.release || d.Behind != c.behind || (d.Tolerated != "") != c.tolerated {
			t.Errorf("%s: got %s of %s, %d behind, tolerated %q", c.name, d.Kind, d.Release.Short(), d.Behind, d.Tolerated)
		}
		if c.release != "" && d.Published.IsZero() {
			t.Errorf("%s: no time", c.name)
		}
	}
	if got := story.Superseded(); len(got) != 1 || got[0] != newest.Release {
		t.Errorf("superseded by %v, want the newest only", got)
	}
}

// TestChronicleOfAReleaseThatCameTwice rolls back: what was in between is older and newer.
func TestChronicleOfAReleaseThatCameTwice(t *testing.T) {
	first := releaseOf(1, map[string]string{"a": "a1"})
	second := releaseOf(2, map[string]string{"a": "a2"})
	again := first
	again.Published = time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	story := diff.NewChronicle(first.Release, []site.Past{again, second, first})
	d := diff.Difference{Path: "a", Kind: diff.Altered, Got: sha256.Sum256([]byte("a2"))}
	story.Name(&d)
	if d.Kind != diff.Stale || d.Release != second.Release || len(story.Superseded()) != 0 {
		t.Errorf("got %s of %s; superseded by %v", d.Kind, d.Release.Short(), story.Superseded())
	}
}

// TestChronicleOfAnUnpublishedRelease takes everything known for older.
func TestChronicleOfAnUnpublishedRelease(t *testing.T) {
	last := releaseOf(1, map[string]string{"a": "a1"})
	story := diff.NewChronicle("unpublished", []site.Past{last})
	d := diff.Difference{Path: "a", Kind: diff.Altered, Got: sha256.Sum256([]byte("a1"))}
	story.Name(&d)
	if d.Kind != diff.Stale || d.Behind != 1 || len(story.Superseded()) != 0 {
		t.Errorf("got %s, %d behind", d.Kind, d.Behind)
	}
}

func verdictOf(diffs ...diff.Difference) diff.Verdict {
	return diff.Verdict{Origins: []diff.OriginVerdict{{Name: "pages", Pages: 100, Differences: diffs}}}
}

func TestTolerate(t *testing.T) {
	unreachable := func(n int) (all []diff.Difference) {
		for i := range n {
			all = append(all, diff.Difference{Path: fmt.Sprint(i), Kind: diff.Unreachable})
		}
		return all
	}
	stale := diff.Difference{Path: "a", Kind: diff.Stale, Release: "x", Behind: 1, Earlier: true}
	tampered := diff.Difference{Path: "a", Kind: diff.Extra, Release: "x", Behind: 1}
	docs := diff.Leniency{Kind: diff.Altered, Match: func(path string) bool { return path == "docs" }, Text: "altered:docs"}
	for _, c := range []struct {
		name  string
		diffs []diff.Difference
		t     diff.Tolerance
		want  diff.State
	}{
		{"nothing tolerated", []diff.Difference{stale}, diff.Tolerance{Since: -1}, diff.Drifts},
		{"a kind", []diff.Difference{stale}, diff.Tolerance{Since: -1, Rules: []diff.Leniency{{Kind: diff.Stale, Text: "stale"}}}, diff.Agrees},
		{"another kind", []diff.Difference{stale}, diff.Tolerance{Since: -1, Rules: []diff.Leniency{{Kind: diff.Missing}}}, diff.Drifts},
		{"a kind here", []diff.Difference{{Path: "docs", Kind: diff.Altered}}, diff.Tolerance{Since: -1, Rules: []diff.Leniency{docs}}, diff.Agrees},
		{"a kind elsewhere", []diff.Difference{{Path: "a", Kind: diff.Altered}}, diff.Tolerance{Since: -1, Rules: []diff.Leniency{docs}}, diff.Drifts},
		{"everywhere is not here", []diff.Difference{{Path: "*", Kind: diff.Altered}}, diff.Tolerance{Since: -1, Rules: []diff.Leniency{docs}}, diff.Drifts},
		{"few unreachable", unreachable(3), diff.Tolerance{Since: -1, Unreachable: diff.Share{Count: 3}}, diff.Agrees},
		{"too many unreachable", unreachable(4), diff.Tolerance{Since: -1, Unreachable: diff.Share{Count: 3}}, diff.CannotBeSeen},
		{"a part unreachable", unreachable(5), diff.Tolerance{Since: -1, Unreachable: diff.Share{Part: 0.05}}, diff.Agrees},
		{"more than a part", unreachable(6), diff.Tolerance{Since: -1, Unreachable: diff.Share{Part: 0.05}}, diff.CannotBeSeen},
		{"all unreachable at once", []diff.Difference{{Path: "*", Kind: diff.Unreachable}}, diff.Tolerance{Since: -1, Unreachable: diff.Share{Count: 99}}, diff.CannotBeSeen},
		{"a young release", []diff.Difference{stale}, diff.Tolerance{Window: time.Minute, Since: time.Second}, diff.Agrees},
		{"an older one", []diff.Difference{stale}, diff.Tolerance{Window: time.Minute, Since: time.Hour}, diff.Drifts},
		{"of unknown age", []diff.Difference{stale}, diff.Tolerance{Window: time.Minute, Since: -1}, diff.Drifts},
		{"young, and other bytes at a removed path", []diff.Difference{tampered}, diff.Tolerance{Window: time.Minute}, diff.Drifts},
		{"young and altered", []diff.Difference{{Path: "a", Kind: diff.Altered}}, diff.Tolerance{Window: time.Minute}, diff.Drifts},
	} {
		v := verdictOf(c.diffs...)
		v.Tolerate(c.t)
		if got := v.Origins[0].State(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNothingSeenNeverAgrees tolerates everything.
func TestNothingSeenNeverAgrees(t *testing.T) {
	v := diff.Verdict{Origins: []diff.OriginVerdict{{Name: "a", Err: fmt.Errorf("refused")}, {Name: "b", Err: fmt.Errorf("refused")}}}
	v.Tolerate(diff.Tolerance{Unreachable: diff.Share{Part: 1}})
	if v.Agree() {
		t.Error("two dead origins agree")
	}
	v.Origins = append(v.Origins, diff.OriginVerdict{Name: "c", Pages: 3, Match: 3})
	if v.Tolerate(diff.Tolerance{Unreachable: diff.Share{Part: 1}}); !v.Agree() {
		t.Error("one is up and the others are tolerated")
	}
}

// TestSequenceGoesByTheLastTime has a release that one remembers as older, and another as live again since.
func TestSequenceGoesByTheLastTime(t *testing.T) {
	old, newer := releaseOf(1, map[string]string{"a": "a1"}), releaseOf(2, map[string]string{"a": "a2"})
	again := site.Past{Release: old.Release, Published: newer.Published.Add(time.Hour)}
	for name, all := range map[string][]site.Past{
		"as the second knows": diff.Sequence([]site.Past{newer, old}, []site.Past{again, newer, old}),
		"as the first knows":  diff.Sequence([]site.Past{again, newer, old}, []site.Past{newer, old}),
	} {
		if len(all) != 2 || all[0].Release != old.Release || !all[0].Published.Equal(again.Published) || all[1].Release != newer.Release {
			t.Errorf("%s: got %+v", name, all)
		}
	}
	if all := diff.Sequence([]site.Past{newer, old}, []site.Past{again}); len(all[0].Manifest) != 1 {
		t.Error("what the first knows of the files is lost")
	}
}
