package targettest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
)

// numbered are n releases, each said to be made a day before the one before it: the order in
// which they go live is not that of their publishers' clocks.
func numbered(n int) []*site.Release {
	var all []*site.Release
	for i := range n {
		all = append(all, dated(Files{"index.html": fmt.Sprint("release ", i), fmt.Sprintf("only-%d.html", i): "x", "same.html": "same"}, -i))
	}
	return all
}

// retentionAnywhere publishes from one machine without a history after another, and prunes
// each time by what the target itself records.
func retentionAnywhere(t *testing.T, f Fixture) {
	prune(t, f, targets.Retention{Keep: 3}) // an empty place
	all := numbered(6)
	for _, rel := range all {
		goLive(t, f, rel)
		prune(t, f, targets.Retention{Keep: 3})
	}
	wantDropped(t, f, all[:3]...)
	wantHeldReleases(t, f, all[5], all[4], all[3])
	// What went live last is all[3] now, before it all[4].
	prune(t, f, targets.Retention{Keep: 1})
	wantDropped(t, f, all[5])
	wantHeldReleases(t, f, all[3], all[4])
}

// retentionWhileOthersStage prunes while another publisher, on another machine, has staged
// and not yet committed. Much later its leavings are dropped.
func retentionWhileOthersStage(t *testing.T, f Fixture) {
	other := Release(Files{"index.html": "of another", "other.html": "x"})
	all := numbered(5)
	goLive(t, f, all[0])
	if err := f.Open(t, nil).Stage(t.Context(), other, nil); err != nil {
		t.Fatal(err)
	}
	for _, rel := range all[1:4] {
		goLive(t, f, rel)
		prune(t, f, targets.Retention{Keep: 2})
	}
	wantDropped(t, f, all[:2]...)
	wantHeldReleases(t, f, other)
	crashed := Release(Files{"index.html": "of a crashed one"})
	if err := f.Open(t, nil).Stage(t.Context(), crashed, nil); err != nil {
		t.Fatal(err)
	}
	goLive(t, f, all[4])
	prune(t, f, targets.Retention{Keep: 2, Grace: -time.Minute})
	wantDropped(t, f, crashed, all[3])
	wantHeldReleases(t, f, all[4], other)
}

// retentionAfterRollbacks has publishes that fail: what was rolled back takes no place of a
// release that was live.
func retentionAfterRollbacks(t *testing.T, f Fixture) {
	all := numbered(6)
	for _, rel := range all[:3] {
		goLive(t, f, rel)
	}
	for _, rel := range all[3:5] {
		swap := goLive(t, f, rel)
		if err := f.Open(t, nil).Rollback(t.Context(), swap); err != nil {
			t.Fatal(err)
		}
	}
	goLive(t, f, all[5])
	prune(t, f, targets.Retention{Keep: 3, Grace: -time.Minute})
	wantDropped(t, f, all[0], all[3], all[4])
	wantHeldReleases(t, f, all[5], all[2], all[1])
}

// retentionOfLiveAgain goes back to an earlier release: it is the newest then.
func retentionOfLiveAgain(t *testing.T, f Fixture) {
	all := numbered(3)
	for _, i := range []int{0, 1, 2, 0} {
		goLive(t, f, all[i])
	}
	prune(t, f, targets.Retention{Keep: 2})
	wantDropped(t, f, all[1])
	wantHeldReleases(t, f, all[0], all[2])
}

func goLive(t *testing.T, f Fixture, rel *site.Release) targets.Swap {
	t.Helper()
	swap, err := Publish(t.Context(), f.Open(t, nil), rel)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return swap
}

// prune skips the test where the place lets nothing be deleted.
func prune(t *testing.T, f Fixture, r targets.Retention) {
	t.Helper()
	p, ok := targets.As[targets.Pruner](t.Context(), f.Open(t, nil))
	if !ok || f.KeepsAll {
		t.Skip("nothing is dropped here")
	}
	if err := p.Prune(t.Context(), r); err != nil {
		t.Fatalf("prune: %v", err)
	}
}

// wantDropped fails unless the releases are not staged any more.
func wantDropped(t *testing.T, f Fixture, all ...*site.Release) {
	t.Helper()
	for _, rel := range all {
		if err := commit(t, f, rel); !errors.Is(err, targets.ErrNotStaged) {
			t.Errorf("%s (%s): got %v, want it dropped", rel.ID().Short(), index(rel), err)
		}
	}
}

// wantHeldReleases makes each of the releases live from what is staged.
func wantHeldReleases(t *testing.T, f Fixture, all ...*site.Release) {
	t.Helper()
	for _, rel := range all {
		if err := commit(t, f, rel); err != nil {
			t.Errorf("%s (%s) was dropped: %v", rel.ID().Short(), index(rel), err)
			continue
		}
		wantRead(t, f, "index.html", index(rel))
		wantHeld(t, f.Open(t, nil), rel.Manifest)
	}
}

func commit(t *testing.T, f Fixture, rel *site.Release) error {
	t.Helper()
	tgt := f.Open(t, nil)
	live, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tgt.Commit(t.Context(), targets.Swap{From: live, To: rel.ID()})
}

func index(rel *site.Release) string {
	file, _ := rel.Manifest.Find("index.html")
	r, err := rel.Open(file)
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	text := make([]byte, file.Size)
	if _, err := r.Read(text); err != nil {
		return err.Error()
	}
	return string(text)
}
