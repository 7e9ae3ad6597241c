package s3_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/targettest"
)

var (
	old  = targettest.Files{"index.html": "old", "about.html": "same", "css/site.css": "old{}", "gone.html": "g", "js/gone.js": "g"}
	next = targettest.Files{"index.html": "new", "about.html": "same", "css/site.css": "new{}", "js/new.js": "n", "new.html": "n"}
)

func onBoth(t *testing.T, test func(t *testing.T, p *place)) {
	t.Run("gateway", func(t *testing.T) { test(t, gateway(t)) })
	t.Run("fake", func(t *testing.T) { test(t, fake(t)) })
}

// TestCommitOrder: assets before pages, pages before the beacon, deletions last and after
// the grace period, and nothing else is written below the site's keys.
func TestCommitOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		const grace = 60 * time.Millisecond
		p.config.DeleteGrace = grace
		publish(t, p.open(t, nil), targettest.Release(old))
		rec := p.recorder()
		publish(t, p.open(t, rec), targettest.Release(next))
		step := map[string]int{"asset": 0, "page": 1, "beacon": 2, "delete": 3}
		last, beacon := "asset", time.Time{}
		writes := rec.requests(func(r request) bool {
			return r.method != "GET" && r.method != "HEAD" && !strings.HasPrefix(r.key, ".mirror/")
		})
		for _, r := range writes {
			kind := kindOf(r)
			if step[kind] < step[last] {
				t.Errorf("%s %s: a %s after a %s", r.method, r.key, kind, last)
			}
			if last = kind; kind == "beacon" {
				beacon = r.at
			}
			if kind == "delete" && r.at.Sub(beacon) < grace {
				t.Errorf("deletions began %s after the beacon, want at least %s", r.at.Sub(beacon), grace)
			}
		}
		if len(writes) != 6 || last != "delete" {
			t.Errorf("got %d writes, the last a %s; want 2 assets, 2 pages, the beacon and one batch of deletions", len(writes), last)
		}
	})
}

func kindOf(r request) string {
	switch {
	case r.method == "DELETE" || r.query.Has("delete"):
		return "delete"
	case r.key == site.DefaultBeacon:
		return "beacon"
	case site.IsPage(r.key):
		return "page"
	}
	return "asset"
}

// TestRollbackOfBrokenCommit breaks a commit at each of its writes and never says
// another word, as a killed process; another process of the publisher rolls back.
func TestRollbackOfBrokenCommit(t *testing.T) {
	longtest.Skip(t, "breaks each write of a commit")
	once(t)
	onBoth(t, func(t *testing.T, p *place) {
		for _, lost := range []bool{false, true} {
			publish(t, p.open(t, nil), targettest.Release(old))
			for n := int64(1); ; n++ {
				if !rollsBack(t, p, n, lost) {
					break
				}
				if t.Failed() {
					t.Fatalf("after the break at write %d, lost %v", n, lost)
				}
			}
		}
	})
}

// rollsBack reports whether there was an nth write to break.
func rollsBack(t *testing.T, p *place, n int64, lost bool) bool {
	tgt, rel := p.open(t, nil), targettest.Release(next)
	plan, err := tgt.Plan(t.Context(), rel)
	if err != nil {
		t.Fatal(err)
	}
	if err := tgt.Stage(t.Context(), rel, nil); err != nil {
		t.Fatal(err)
	}
	swap := targets.Swap{From: plan.Live, To: rel.ID()}
	faults := &targettest.Faults{Base: http.DefaultTransport, At: n, Lost: lost}
	err = p.open(t, faults).Commit(t.Context(), swap)
	if err := p.open(t, nil).Rollback(t.Context(), swap); err != nil {
		t.Errorf("roll back: %v", err)
	}
	p.wantExactly(t, old)
	if live, err := p.open(t, nil).Live(t.Context()); err != nil || live != plan.Live {
		t.Errorf("live: got %+v, %v; want %+v as before", live, err, plan.Live)
	}
	return err != nil || faults.Writes() >= n
}

// wantExactly fails unless the bucket holds just these files and a beacon of theirs.
func (p *place) wantExactly(t *testing.T, files targettest.Files) {
	t.Helper()
	held, err := p.open(t, nil).ReadBack(t.Context())
	if want := targettest.Release(files).Manifest; err != nil || !slices.Equal(held, want) {
		t.Errorf("held: got %v, %v; want %v", held, err, want)
	}
	beacon, err := p.fixture().Read(site.DefaultBeacon)
	if err != nil || !strings.Contains(string(beacon), string(targettest.Release(files).ID())) {
		t.Errorf("beacon: got %q, %v", beacon, err)
	}
}

// TestOthersWaitForTheLease: a commit under way keeps another owner out, which waits before
// anything of its own is visible, and one that was
// left half done does so until its lease has run out; then a publish converges, and its
// rollback leads back to before the torn commit.
func TestOthersWaitForTheLease(t *testing.T) {
	longtest.Skip(t, "waits for leases to end")
	p := gateway(t)
	publish(t, p.open(t, nil), targettest.Release(old))
	origin, err := p.open(t, nil).Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	third := targettest.Files{"index.html": "third", "third.html": "3"}
	rel := targettest.Release(third)
	early := p.openAs(t, "other", "", nil)
	if err := early.Stage(t.Context(), rel, nil); err != nil {
		t.Fatal(err)
	}
	p.tear(t, "crashed")
	err = early.Commit(t.Context(), targets.Swap{From: origin, To: rel.ID()})
	if !errors.Is(err, targets.ErrConflict) || !strings.Contains(err.Error(), "crashed is committing") {
		t.Fatalf("commit beside a fresh lease: got %v, want ErrConflict naming its owner", err)
	}
	hurried, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := early.Stage(hurried, rel, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stage beside a fresh lease: got %v, want it to wait", err)
	}
	p.age(t)
	other := p.openAs(t, "other", "", nil)
	if live, err := other.Live(t.Context()); err != nil || live.Release != site.None || live.Revision == "" {
		t.Errorf("live while torn: got %+v, %v; want no release and a revision", live, err)
	}
	swap := publish(t, other, rel)
	p.wantExactly(t, third)
	for range 2 {
		if err := p.openAs(t, "other", "", nil).Rollback(t.Context(), swap); err != nil {
			t.Fatal(err)
		}
		p.wantExactly(t, old)
	}
	if live, err := other.Live(t.Context()); err != nil || live != origin {
		t.Errorf("live: got %+v, %v; want %+v", live, err, origin)
	}
}

// tear leaves a commit of next half done: its first page is copied, and then its process
// is gone, without a word.
func (p *place) tear(t *testing.T, owner string) {
	t.Helper()
	rec := p.recorder()
	var mu sync.Mutex
	dead := false
	rec.before = func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if dead {
			return nil, errors.New("the process is gone")
		}
		dead = strings.HasSuffix(r.URL.Path, "/new.html") && r.Method == http.MethodPut
		return nil, nil
	}
	p.config.Concurrency = 1
	defer func() { p.config.Concurrency = 0 }()
	if _, err := targettest.Publish(t.Context(), p.openAs(t, owner, "", rec), targettest.Release(next)); err == nil {
		t.Fatal("the commit was not torn")
	}
}

// TestLostAnswers loses the answer to every first attempt at a write of a publish: each
// is sent again, and a conditional one finds itself done already.
func TestLostAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		publish(t, p.open(t, nil), targettest.Release(old))
		rec := p.recorder()
		rec.before = func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPut || !strings.Contains(r.Header.Get("Amz-Sdk-Request"), "attempt=1") {
				return nil, nil
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			return nil, errors.Join(errors.New("the answer is lost"), resp.Body.Close())
		}
		publish(t, p.open(t, rec), targettest.Release(next))
		p.wantExactly(t, next)
	})
}

// TestTakenOver: a commit that another process of the publisher takes over stops at its
// next renewal, and says that it lost.
func TestTakenOver(t *testing.T) {
	p := fake(t)
	publish(t, p.open(t, nil), targettest.Release(old))
	rec := p.recorder()
	reached := make(chan struct{}, 64)
	rec.before = func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPut || strings.Contains(r.URL.Path, "/.mirror/") {
			return nil, nil
		}
		reached <- struct{}{}
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	first := p.open(t, rec)
	first.SetLease(time.Second)
	done := make(chan error, 1)
	go func() {
		_, err := targettest.Publish(t.Context(), first, targettest.Release(next))
		done <- err
	}()
	<-reached
	third := targettest.Files{"index.html": "third"}
	publish(t, p.open(t, nil), targettest.Release(third))
	if err := <-done; !errors.Is(err, targets.ErrConflict) {
		t.Errorf("the first: got %v, want ErrConflict", err)
	}
	p.wantExactly(t, third)
}

// TestServiceWithoutConditions: a service that ignores conditional writes, and knows no
// batched deletes, is published to by reading, comparing and writing.
func TestServiceWithoutConditions(t *testing.T) {
	server := plain(t)
	for _, files := range []targettest.Files{old, next, old} {
		publish(t, server.open(t, nil), targettest.Release(files))
		server.wantExactly(t, files)
	}
	slow := server.open(t, nil)
	rel := targettest.Release(targettest.Files{"index.html": "slow"})
	plan, err := slow.Plan(t.Context(), rel)
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.Stage(t.Context(), rel, nil); err != nil {
		t.Fatal(err)
	}
	publish(t, server.open(t, nil), targettest.Release(next))
	if err := slow.Commit(t.Context(), targets.Swap{From: plan.Live, To: rel.ID()}); !errors.Is(err, targets.ErrConflict) {
		t.Errorf("stale swap: got %v, want ErrConflict", err)
	}
}

// TestPrune drops what is neither kept nor live, and only that: what is kept can be
// committed, what is not is not staged.
func TestPrune(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		tgt := p.open(t, nil)
		var all []*site.Release
		var last targets.Swap
		for i := range 4 {
			all = append(all, targettest.Release(targettest.Files{"index.html": fmt.Sprint("release ", i), fmt.Sprintf("only-%d.html", i): fmt.Sprint(i)}))
			last = publish(t, tgt, all[i])
		}
		if err := tgt.Prune(t.Context(), targets.Retention{Keep: 3}); err != nil {
			t.Fatal(err)
		}
		if err := tgt.Commit(t.Context(), targets.Swap{From: PhaseLive(t, tgt), To: all[0].ID()}); !errors.Is(err, targets.ErrNotStaged) {
			t.Errorf("commit of a pruned release: got %v, want ErrNotStaged", err)
		}
		if err := p.open(t, nil).Rollback(t.Context(), last); err != nil {
			t.Errorf("roll back of the live release after prune: %v", err)
		}
		if got := PhaseLive(t, tgt).Release; got != all[2].ID() {
			t.Errorf("live: got %s, want %s", got.Short(), all[2].ID().Short())
		}
		if err := p.open(t, nil).Commit(t.Context(), targets.Swap{From: PhaseLive(t, tgt), To: all[1].ID()}); err != nil {
			t.Errorf("commit of a kept release: %v", err)
		}
		held, err := tgt.ReadBack(t.Context())
		if err != nil || held.ID() != all[1].ID() {
			t.Errorf("held: got %v, %v; want release 1", held, err)
		}
		if err := tgt.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -time.Minute}); err != nil {
			t.Fatal(err)
		}
		if docs := p.keys(t, ".mirror/releases/"); !slices.Contains(docs, ".mirror/releases/"+string(all[1].ID())) {
			t.Errorf("the live release's document is gone: %q are left", docs)
		}
		if n := len(p.keys(t, ".mirror/objects/")); n != 4 {
			t.Errorf("got %d staged objects after prune, want those of the live release and of the one before: 4", n)
		}
	})
}

func PhaseLive(t *testing.T, tgt targets.Target) targets.Live {
	t.Helper()
	l, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestDamagedStagingHeals: content that was staged in place and that somebody changed is seen by the next
// publish, which sends it again.
func TestDamagedStagingHeals(t *testing.T) {
	p := gateway(t)
	rel := targettest.Release(old)
	if err := p.open(t, nil).Stage(t.Context(), rel, nil); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"bad", "SAME"} { // of another size, and of the same
		if err := os.WriteFile(filepath.Join(p.folder, "about.html"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		publish(t, p.open(t, nil), rel)
		p.wantExactly(t, old)
	}
}
