package workspace

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/publish"
	"mirror/site"
	"mirror/targets"
)

// TestWhichReleaseARollbackGoesTo chooses by the first digits of an ID, or the release before; a rollback that was
// interrupted after its first commit is completed.
func TestWhichReleaseARollbackGoesTo(t *testing.T) {
	held := func(id site.ID, hour int, live ...string) HeldRelease {
		return HeldRelease{Release: id, Published: time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC), Targets: []string{"one", "two"}, Live: live}
	}
	settled := []HeldRelease{held("cc01", 3, "one", "two"), held("bb01", 2), held("bb02", 1)}
	mixed := []HeldRelease{held("bb01", 4, "two"), held("cc01", 3, "one"), held("bb02", 1)}
	done := []HeldRelease{held("bb01", 4, "one", "two"), held("cc01", 3), held("bb02", 1)}
	replaced := []HeldRelease{held("dd01", 5, "one", "two"), held("cc01", 4), held("bb01", 3)}
	purged := []HeldRelease{settled[0], {Release: "aa01", Purged: true}, settled[2]}
	dated := []HeldRelease{settled[0], {Release: "aa01", Purged: true, PurgedAt: time.Date(2026, 11, 23, 4, 5, 0, 0, time.UTC)}, {Release: "aa02", Targets: []string{"one"}}}
	cut := publish.Page{Release: "bb01", Rollback: true, Swaps: map[string]targets.Swap{"one": {From: targets.Live{Release: "cc01"}}, "two": {From: targets.Live{Release: "cc01"}}}}
	ended := cut
	ended.Outcome = publish.Live
	published := publish.Page{Release: "bb01", Swaps: cut.Swaps}
	for _, c := range []struct {
		name, asked string
		held        []HeldRelease
		last        publish.Page
		want        string // the release, or what the error says
	}{
		{"the one before", "", settled, publish.Page{}, "bb01"},
		{"by its ID", "bb02", settled, publish.Page{}, "bb02"},
		{"by its first digits, in capitals", "CC", settled, publish.Page{}, "cc01"},
		{"unknown", "f", settled, publish.Page{}, "no target holds a release f (hint: there are cc01 of 2026-11-22 03:00:00 on one, two; bb01"},
		{"ambiguous", "bb", settled, publish.Page{}, "bb is the beginning of several release IDs (hint: there are bb01 of 2026-11-22 02:00:00 on one, two; bb02"},
		{"purged at a time", "aa01", dated, publish.Page{}, "files of it were purged on 2026-11-23 04:05 UTC by"},
		{"ambiguous, one of them purged", "aa", dated, publish.Page{}, "(hint: there are aa01, which was purged; aa02 on one)"},
		{"nothing is held", "", nil, publish.Page{}, "no target holds a release"},
		{"nothing before", "", settled[:1], publish.Page{}, "publish.keep_releases"},
		{"the one before was purged", "", purged, publish.Page{}, "bb02"},
		{"purged, by its ID", "aa", purged, publish.Page{}, "aa01 cannot be restored: files of it were purged by `publish --purge-now` (hint: there are cc01 of"},
		{"all before were purged", "", purged[:2], publish.Page{}, "files of those before were purged"},
		{"interrupted between two commits", "", mixed, cut, "bb01"},
		{"interrupted after all commits", "", done, cut, "bb01"},
		{"interrupted before the first commit", "", settled, cut, "bb01"},
		{"interrupted before the first commit, by an ID", "", settled, publish.Page{Release: "bb02", Rollback: true, Swaps: cut.Swaps}, "bb02"},
		{"interrupted, and another release is asked for", "bb02", mixed, cut, "bb02"},
		{"interrupted, and others have published since", "", replaced, cut, "cc01"},
		{"ended: it is undone", "", done, ended, "cc01"},
		{"a publish was interrupted", "", done, published, "cc01"},
	} {
		got, err := chosen(c.held, c.asked, c.last)
		if said := string(got.Release) + text(err); !strings.HasPrefix(said, c.want) && !strings.Contains(text(err), c.want) {
			t.Errorf("%s: got %s, want %s", c.name, said, c.want)
		}
	}
	many := slices.Repeat([]HeldRelease{held("bb", 1)}, 50)
	if _, err := chosen(many, "bb", publish.Page{}); err == nil || strings.Count(err.Error(), "of 2026") != maxCandidates {
		t.Errorf("50 candidates: got %v", err)
	}
}

// TestTimesKeepTheOrderOfATarget has a target list a release first whose commit has not ended.
func TestTimesKeepTheOrderOfATarget(t *testing.T) {
	at := func(id site.ID, minute int) site.Past {
		return site.Past{Release: id, Published: time.Date(2026, 11, 22, 12, minute, 0, 0, time.UTC)}
	}
	for _, c := range []struct {
		name string
		live site.ID
		past []site.Past
		want string
	}{
		{"settled", "b", []site.Past{at("b", 2), at("a", 1)}, "b a"},
		{"a rollback is under way", "b", []site.Past{at("a", 3), at("b", 2), at("a", 3), at("z", 1)}, "b a z"},
		{"a publish is under way", "b", []site.Past{at("c", 3), at("b", 2), at("a", 1)}, "b a c"},
		{"the live one is not listed", "d", []site.Past{at("b", 2), at("a", 1)}, "b a"},
	} {
		all := inOrder(c.past, c.live)
		slices.SortStableFunc(all, func(p, q site.Past) int { return q.Published.Compare(p.Published) })
		var got []string
		for _, p := range all {
			got = append(got, string(p.Release))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestReleasesThatOnlyAPurgeTellsOf has targets that remember only that releases were purged: they are listed after the others,
// each once, and not among those that can be restored.
func TestReleasesThatOnlyAPurgeTellsOf(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC) }
	listed := []HeldRelease{{Release: "cc01", Targets: []string{"one"}}}
	answers := []heldAnswer{{purged: targets.Purged{"aa01": at(1), "bb01": at(2)}}, {}, {purged: targets.Purged{"aa01": at(3), "cc01": at(4)}}}
	got := onlyPurged(listed, answers)
	if len(got) != 2 || got[0].Release != "aa01" || !got[0].PurgedAt.Equal(at(3)) || got[1].Release != "bb01" || !got[1].Purged {
		t.Errorf("got %+v", got)
	}
	if left := restorable(append(listed, got...)); len(left) != 1 {
		t.Errorf("can be restored: %+v", left)
	}
}
