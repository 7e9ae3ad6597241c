package watch_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/lab/edge"
	"mirror/internal/longtest"
	"mirror/internal/origin"
	"mirror/internal/watch"
	"mirror/site"
)

// TestAwaitIsQuick has a barrier hear of a switch before the watch has gone a third of its way
// round the pages, however many change, since the beacon and one page come round more often
// than the others. It counts requests: on a busy machine all of them take longer.
func TestAwaitIsQuick(t *testing.T) {
	const many = 150
	p := newPair(t)
	var took []int
	for n := range 9 {
		before, after := bulk(many, n), bulk(many, n+1)
		if err := p.lab.Git.Edit(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		var answers atomic.Int64
		w := watch.Start(t.Context(), p.origins[:1], watch.Options{
			Began: time.Now(), Changes: between(before, after), Release: releaseOf(n + 1), BeaconPath: beacon,
			See: func(string, site.Observation, diff.Side) { answers.Add(1) },
		})
		if err := p.lab.Git.Edit(t.Context(), after); err != nil {
			t.Fatal(err)
		}
		switched := answers.Load()
		late := w.Await(t.Context(), []string{"git"})
		took = append(took, int(answers.Load()-switched))
		w.Stop()
		if len(late) > 0 || w.Window().Closed {
			t.Errorf("late %v, closed %v; want to hear of it while most pages are open", late, w.Window().Closed)
		}
	}
	slices.Sort(took)
	t.Logf("heard of after %d answers (median), at most %d", took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] > many/3 {
		t.Errorf("heard of after %d answers (median); want at most a third of the %d pages", took[len(took)/2], many)
	}
}

const beacon = "beacon.json"

func releaseOf(n int) site.ID { return site.ID(strings.Repeat(fmt.Sprintf("%02x", n), 32)) }

// bulk is many pages of an edition, with its beacon.
func bulk(many, n int) map[string][]byte {
	files := map[string][]byte{beacon: fmt.Appendf(nil, `{"release":%q}`, releaseOf(n))}
	for i := range many {
		files[fmt.Sprintf("b%03d.html", i)] = fmt.Appendf(nil, "<p>%d of edition %d", i, n)
	}
	return files
}

// between lists what changes, without the beacon. Nil stands for no page.
func between(old, next map[string][]byte) []diff.Change {
	var all []diff.Change
	for path := range next {
		if path != beacon {
			all = append(all, diff.Change{Path: path, Old: digest(old[path]), New: digest(next[path])})
		}
	}
	slices.SortFunc(all, func(a, b diff.Change) int { return strings.Compare(a.Path, b.Path) })
	return all
}

func digest(text []byte) site.Digest {
	if text == nil {
		return site.Digest{}
	}
	return sha256.Sum256(text)
}

// TestBoundsKeepToTheBudget has all of the rate but the beacon's request a second go round the
// pages while no barrier waits: between two looks at one page every other is looked at once.
// The gaps between those looks are what the bounds are made of.
func TestBoundsKeepToTheBudget(t *testing.T) {
	longtest.Skip(t, "waits for origins that never switch")
	const many, rate = 40, 200
	p := newPair(t)
	p.origins[0].Rate = rate
	before, after := bulk(many, 0), bulk(many, 1)
	if err := p.lab.Git.Edit(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var looks []site.Observation
	w := watch.Start(t.Context(), p.origins[:1], watch.Options{
		Began: time.Now(), Changes: between(before, after), Release: releaseOf(1), BeaconPath: beacon,
		See: func(_ string, o site.Observation, _ diff.Side) {
			mu.Lock()
			defer mu.Unlock()
			looks = append(looks, o)
		},
	})
	p.lab.Git.SetLag(time.Second, 0)
	if err := p.lab.Git.Change(t.Context(), after); err != nil {
		t.Fatal(err)
	}
	late := w.Settle(t.Context(), []string{"git"})
	w.Stop()
	got := w.Window()
	longest := longestRound(looks)
	t.Logf("bounded to %s; %d looks, at most %d between two at one page", got.Upper-got.Lower, len(looks), longest)
	if len(late) > 0 || !got.Closed || longest > many+many/2 {
		t.Errorf("late %v, closed %v, %d looks between two at one page; want about %d", late, got.Closed, longest, many)
	}
	if gap := time.Second * many / rate; got.Upper-got.Lower < gap/2 {
		t.Errorf("bounds %s apart: more was asked than the rate allows", got.Upper-got.Lower)
	}
}

// longestRound is the largest number of looks from one at a page to the next at the same page.
func longestRound(looks []site.Observation) (longest int) {
	slices.SortFunc(looks, func(a, b site.Observation) int { return a.Asked.Compare(b.Asked) })
	last := map[string]int{}
	for i, o := range looks {
		if before, ok := last[o.Path]; ok && o.Path != beacon {
			longest = max(longest, i-before)
		}
		last[o.Path] = i
	}
	return longest
}

// TestBaseline looks up what is live of the pages of which nobody remembers it.
func TestBaseline(t *testing.T) {
	p := newPair(t)
	files := map[string][]byte{"p0.html": []byte("by hand"), "p1.html": nil}
	if err := p.lab.S3.Edit(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	p.lab.S3.Override("/p3.html", edge.Noise(nil))
	p.lab.Git.Override("/p3.html", edge.Reset(nil))
	p.lab.Git.Override("/p4.html", edge.Empty(nil))
	p.lab.S3.Override("/p4.html", edge.NotModified(nil))
	next := edition(2)
	all := changes()
	known := all[5]
	for i := range all[:5] {
		all[i].Old = site.Digest{}
	}
	found, err := watch.Baseline(t.Context(), p.origins, watch.Options{Changes: all, Own: map[string][]string{
		"git": {"p0.html", "p1.html", "p2.html", "p3.html", "p4.html", "p5.html"}, "s3": {"p0.html", "p1.html", "p3.html", "p4.html"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	old, met := edition(1), map[string]site.Digest{}
	for _, s := range found.Seen {
		if met[s.Origin+" "+s.Observation.Path] = s.Observation.Digest; s.Observation.Status != http.StatusOK {
			met[s.Origin+" "+s.Observation.Path] = site.Digest{}
		}
	}
	for where, want := range map[string][]byte{
		"git p0.html": old["p0.html"], "s3 p0.html": files["p0.html"], "git p1.html": old["p1.html"], "s3 p1.html": nil,
		"git p2.html": old["p2.html"], "git p5.html": old["p5.html"], "git p4.html": {},
	} {
		if got, ok := met[where]; !ok || got != digest(want) {
			t.Errorf("%s: found %v, %t; %q is live", where, got, ok, want)
		}
	}
	if _, asked := met["s3 p2.html"]; asked {
		t.Error("s3 was asked for a page that does not change there")
	}
	if got := found.Changes; got[2].Old != digest(old["p2.html"]) || got[4].Old != digest([]byte{}) {
		t.Errorf("the old sides of p2.html and p4.html are %v and %v, want what git serves", got[2].Old, got[4].Old)
	}
	if found.Changes[5] != known || found.Changes[0].New != digest(next["p0.html"]) || !all[2].Old.IsZero() {
		t.Error("what is known, or the caller's list, was changed")
	}
}

// TestBaselineEndsWithItsContext has an origin that hangs not hold up who gives up.
func TestBaselineEndsWithItsContext(t *testing.T) {
	p := newPair(t)
	p.lab.Git.SetFault(edge.Hang)
	p.origins[0].Timeout = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := watch.Baseline(ctx, p.origins, watch.Options{Changes: changes()}); err == nil {
		t.Error("what nobody answered was looked up")
	}
}

// TestSuperseded has a newer release take over while an older one is watched: that one
// counts as reached.
func TestSuperseded(t *testing.T) {
	p := newPair(t)
	first, second, third := bulk(5, 1), bulk(5, 2), bulk(5, 3)
	if err := p.lab.Git.Edit(t.Context(), third); err != nil { // the second is never shown
		t.Fatal(err)
	}
	newer := func(id site.ID) (site.Manifest, bool) {
		var m site.Manifest
		for path, text := range third {
			m = append(m, site.File{Path: path, Size: int64(len(text)), Digest: digest(text)})
		}
		m.Sort()
		return m, id == releaseOf(3)
	}
	ctx, cancel := context.WithTimeout(t.Context(), settling)
	defer cancel()
	w := watch.Start(ctx, []origin.Endpoint{p.origins[0]}, watch.Options{
		Began: time.Now(), Changes: between(first, second), Release: releaseOf(2), BeaconPath: beacon, Newer: newer,
	})
	late := w.Settle(ctx, []string{"git"})
	w.Stop()
	if len(late) > 0 || !w.Window().Closed {
		t.Errorf("late %v, window %+v", late, w.Window())
	}
}

// TestWatchWaitsForADeployment has an origin serve all of its own pages new already, though
// something else is stored: it is settled when its beacon claims the release, and not before.
// Where nothing of that can be told it is not waited for.
func TestWatchWaitsForADeployment(t *testing.T) {
	p := newPair(t)
	before, after := bulk(3, 1), bulk(3, 1)
	after[beacon] = bulk(3, 2)[beacon]
	if err := p.lab.Git.Edit(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	old := bulk(3, 0)
	options := watch.Options{Changes: between(old, after), Release: releaseOf(2), BeaconPath: beacon}
	looked, err := watch.Baseline(t.Context(), p.origins[:1], options)
	if err != nil || looked.Claimed["git"] != releaseOf(1) {
		t.Fatalf("got the claim %v, %v", looked.Claimed, err)
	}
	looked.Began = time.Now()
	w := watch.Start(t.Context(), p.origins[:1], looked)
	brief, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if late := w.Settle(brief, []string{"git"}); len(late) != 1 {
		t.Error("settled before the deployment")
	}
	if err := p.lab.Git.Edit(t.Context(), after); err != nil {
		t.Fatal(err)
	}
	late := w.Settle(t.Context(), []string{"git"})
	w.Stop()
	if got := w.Window(); len(late) > 0 || !got.Closed || got.Upper != 0 || !got.Origins[0].Unchanged {
		t.Errorf("late %v, window %+v", late, got)
	}

	looked.Claimed = nil
	w = watch.Start(t.Context(), p.origins[:1], looked)
	if late := w.Settle(t.Context(), []string{"git"}); len(late) > 0 {
		t.Error("waited for a deployment of which nothing tells")
	}
	w.Stop()
}
