package staged_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/staged"
	"mirror/site"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func release(name string, age time.Duration) staged.Release {
	return staged.Release{Release: site.ID(strings.Repeat(name, 64)), At: now.Add(-age), Until: now.Add(time.Hour)}
}

func done(r staged.Release) staged.Release { r.Done = true; return r }

func names(all []staged.Release) string {
	var text []string
	for _, r := range all {
		text = append(text, string(r.Release[:1]))
	}
	return strings.Join(text, "")
}

// TestTheLatestEntryOfAReleaseCounts merges the records of targets, in any order, of which one was not reached
// when the release went live, and of which one has an older time for another.
func TestTheLatestEntryOfAReleaseCounts(t *testing.T) {
	records := [][]staged.Release{
		{release("a", time.Minute), release("b", 3*time.Minute)},
		{done(release("a", 2*time.Minute)), done(release("b", 2*time.Minute)), release("c", time.Hour)},
		{release("b", 4*time.Minute), release("d", time.Second), done(release("d", time.Second))},
	}
	for range 3 {
		records = append(records[1:], records[0])
		merged := staged.Merge(records...)
		if got := names(staged.Waiting(merged, now)); got != "ac" {
			t.Errorf("got %q, want ac", got)
		}
		if !slices.Equal(staged.Merge(merged, merged), merged) {
			t.Error("merged with itself a record changes")
		}
	}
}

// TestARecordOfOthersIsBounded has entries that no publisher writes, and too many.
func TestARecordOfOthersIsBounded(t *testing.T) {
	wrong := []staged.Release{{}, release("a", -2*time.Hour), release("x", 0)}
	over, ever, negative := release("b", 0), release("c", 0), release("d", 0)
	over.Until = now
	ever.Until = now.Add(staged.MaxFor + time.Hour)
	negative.Files = -1
	if got := staged.Valid(append(wrong, over, ever, negative), now); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	var many []staged.Release
	for i := range 1000 {
		many = append(many, staged.Release{Release: site.ID(fmt.Sprintf("%064x", i)), At: now, Until: now.Add(time.Hour)})
	}
	if got := staged.Merge(many); len(got) > 20 {
		t.Errorf("got %d entries", len(got))
	}
	if got := staged.Find(staged.Merge(many), strings.ToUpper(fmt.Sprintf("%063x", 0))); len(got) != 16 {
		t.Errorf("found %d, want 16", len(got))
	}
}

// TestWentLiveEndsTheWaiting also where the clock of the publisher that staged the release is fast.
func TestWentLiveEndsTheWaiting(t *testing.T) {
	all := []staged.Release{release("a", time.Minute), release("b", -30*time.Minute), release("c", 0)}
	done := staged.WentLive(all, now, all[0].Release, all[1].Release, site.None)
	if got := names(staged.Waiting(staged.Merge(all, done), now)); len(done) != 2 || got != "c" {
		t.Errorf("got %d entries, %q waits, want c", len(done), got)
	}
	if again := staged.WentLive(staged.Merge(all, done), now, all[0].Release); len(again) > 0 {
		t.Errorf("a second time: got %v", again)
	}
}
