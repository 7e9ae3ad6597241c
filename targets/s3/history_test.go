package s3_test

import (
	"slices"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

func wantReleases(t *testing.T, tgt *s3.Target, want ...site.ID) {
	t.Helper()
	past, err := tgt.Past(t.Context(), 10, nil)
	var got []site.ID
	for _, p := range past {
		got = append(got, p.Release)
		if p.Manifest.ID() != p.Release || p.Published.IsZero() {
			t.Errorf("%s: got %d files, published %s", p.Release.Short(), len(p.Manifest), p.Published)
		}
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("past: got %v, %v; want %v", got, err, want)
	}
}

// TestPastIsInTheOrderOfGoingLive goes back and forth, stages without a commit, rolls back
// and prunes: only what was live is told, in its order.
func TestPastIsInTheOrderOfGoingLive(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		one, two := targettest.Release(old), targettest.Release(next)
		third := targettest.Release(targettest.Files{"index.html": "third"})
		tgt := p.open(t, nil)
		publish(t, tgt, one)
		publish(t, tgt, two)
		publish(t, tgt, one)
		if err := tgt.Stage(t.Context(), third, nil); err != nil {
			t.Fatal(err)
		}
		wantReleases(t, p.open(t, nil), one.ID(), two.ID(), one.ID())
		swap := publish(t, tgt, third)
		wantReleases(t, p.open(t, nil), third.ID(), one.ID(), two.ID(), one.ID())
		if err := tgt.Rollback(t.Context(), swap); err != nil {
			t.Fatal(err)
		}
		wantReleases(t, p.open(t, nil), one.ID(), two.ID(), one.ID())
		if err := tgt.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -time.Minute}); err != nil {
			t.Fatal(err)
		}
		past, err := p.open(t, nil).Past(t.Context(), 10, nil)
		if err != nil || len(past) == 0 || past[0].Release != one.ID() {
			t.Errorf("after a prune: got %v, %v; want the live release first", past, err)
		}
	})
}

// TestPastLeavesOutForgedDocuments has documents of releases that are not what they say.
func TestPastLeavesOutForgedDocuments(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		one, two := targettest.Release(old), targettest.Release(next)
		tgt := p.open(t, nil)
		publish(t, tgt, one)
		publish(t, tgt, two)
		p.putObjects(t, map[string][]byte{".mirror/releases/" + string(one.ID()): []byte("forged")})
		wantReleases(t, p.open(t, nil), two.ID())
		lie, err := s3.EmptyRelease(one.ID())
		if err != nil {
			t.Fatal(err)
		}
		p.putObjects(t, map[string][]byte{".mirror/releases/" + string(one.ID()): lie})
		wantReleases(t, p.open(t, nil), two.ID())
		p.putObjects(t, map[string][]byte{".mirror/releases/" + string(two.ID()): []byte("forged")})
		if past, err := p.open(t, nil).Past(t.Context(), 10, nil); err == nil {
			t.Errorf("got %v, want an error where nothing could be read", past)
		}
	})
}
