package front

import (
	"testing"
	"time"

	"mirror/site"
)

// TestChoose has origins claim releases.
func TestChoose(t *testing.T) {
	at := func(release string, sequence int64) standing {
		return standing{site.ID(release), sequence, time.Unix(sequence, 0)}
	}
	held := func(release string, sequence int64) claim { return claim{at(release, sequence), true} }
	old := func(release string, second int64) claim {
		return claim{standing{site.ID(release), 0, time.Unix(second, 0)}, true}
	}
	for _, c := range []struct {
		name   string
		now    standing
		claims []claim
		gone   bool
		want   string
		place  int64
	}{
		{"the first release", standing{}, []claim{held("a", 1), held("a", 1)}, false, "a", 1},
		{"no quorum yet", standing{}, []claim{held("a", 1), {at("a", 1), false}}, false, "", 0},
		{"a new one below the quorum", at("a", 1), []claim{held("a", 1), held("b", 2)}, false, "a", 1},
		{"a new one with the quorum", at("a", 1), []claim{held("a", 1), held("b", 2), held("b", 2)}, false, "b", 2},
		{"a new one that was not verified", at("a", 1), []claim{held("b", 2), {at("b", 2), false}, held("a", 1)}, false, "a", 1},
		{"stale origins are not followed", at("b", 2), []claim{held("a", 1), held("a", 1), held("b", 2)}, false, "b", 2},
		{"nor are they when the holder is lost for a moment", at("b", 2), []claim{held("a", 1), held("a", 1), {}}, false, "b", 2},
		{"they are when no origin holds it any more", at("b", 2), []claim{held("a", 1), held("a", 1), {}}, true, "a", 1},
		{"not by one origin even then", at("b", 2), []claim{held("a", 1), {}, {}}, true, "b", 2},
		{"a rollback has a later place", at("b", 2), []claim{held("a", 3), held("a", 3)}, false, "a", 3},
		{"one liar cannot put an old release first", at("b", 2), []claim{held("a", 1), held("a", 1<<40), held("b", 2)}, false, "b", 2},
		{"nor push the place of the live one", at("b", 2), []claim{held("b", 2), held("b", 1<<40), held("b", 2)}, false, "b", 2},
		{"two releases for one place", at("a", 1), []claim{held("b", 2), held("b", 2), held("c", 2), held("c", 2)}, false, "a", 1},
		{"a later one than both", at("a", 1), []claim{held("b", 2), held("b", 2), held("c", 2), held("c", 2), held("d", 3), held("d", 3)}, false, "d", 3},
		{"beacons of an old version go by their time", standing{"a", 0, time.Unix(1, 0)}, []claim{old("b", 2), old("b", 2)}, false, "b", 0},
		{"also backwards", standing{"b", 0, time.Unix(2, 0)}, []claim{old("a", 1), old("a", 1)}, false, "b", 0},
	} {
		if got := choose(c.now, c.claims, 2, c.gone); got.release != site.ID(c.want) || got.sequence != c.place {
			t.Errorf("%s: got %q at %d, want %q at %d", c.name, got.release, got.sequence, c.want, c.place)
		}
	}
}
