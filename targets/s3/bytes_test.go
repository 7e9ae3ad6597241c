package s3_test

import (
	"testing"

	"mirror/internal/longtest"
	"mirror/site"
	"mirror/targets/targettest"
)

// TestSentBytesStayBounded publishes one small change after another to a site of many
// tiny files, where documents of the target's own weigh most: each publish sends no more
// than 1.2 times the changed bytes and 64 KiB, however many went before.
func TestSentBytesStayBounded(t *testing.T) {
	longtest.Skip(t, "publishes many releases")
	const count, size, rounds = 5000, 24, 6
	p := fake(t)
	rec := p.recorder()
	files := bigSite(count, size)
	publish(t, p.open(t, nil), targettest.Release(files))
	worst := int64(0)
	for round := 1; round <= rounds; round++ {
		var changed int64
		files, changed = touch(files, round, size)
		rec.reset()
		publish(t, p.open(t, rec), targettest.Release(files))
		_, sent := rec.count()
		if limit := changed*12/10 + 64<<10; sent > limit {
			t.Errorf("round %d: sent %d bytes for %d changed, more than %d", round, sent, changed, limit)
		}
		worst = max(worst, sent-changed)
	}
	t.Logf("at most %d bytes beside the changed content", worst)
	held, err := p.open(t, nil).ReadBack(t.Context())
	if err != nil || held.ID() != targettest.Release(files).ID() {
		t.Errorf("read back after all rounds: got %s, %v; want %s", held.ID().Short(), err, targettest.Release(files).ID().Short())
	}
}

// TestUnchangedSendsNothing plans and stages what is live: no body is sent, and no object
// is read that a record vouches for.
func TestUnchangedSendsNothing(t *testing.T) {
	p := gateway(t)
	first, second := bigSite(200, 100), bigSite(200, 100)
	second["index.html"] = "new"
	publish(t, p.open(t, nil), targettest.Release(first))
	p.age(t)
	publish(t, p.open(t, nil), targettest.Release(second))
	rec := p.recorder()
	plan, err := p.open(t, rec).Plan(t.Context(), targettest.Release(second))
	if err != nil || !plan.Changes.Empty() || plan.Changes.Same != len(second) {
		t.Fatalf("plan: got %+v, %v; want all the same", plan.Changes, err)
	}
	if requests, sent := rec.count(); sent != 0 || requests > 8 {
		t.Errorf("sent %d bytes in %d requests; want none in at most 8", sent, requests)
	}
	read := rec.requests(func(r request) bool {
		return r.method == "GET" && r.key == "posts/000/a-longer-page-title-00000/index.html"
	})
	if len(read) > 0 {
		t.Error("an unchanged object was read")
	}
}

// TestStateFolderSparesReading verifies a bucket of others once, and never again with the
// same state folder.
func TestStateFolderSparesReading(t *testing.T) {
	p := gateway(t)
	files := bigSite(50, 100)
	publish(t, p.open(t, nil), targettest.Release(files))
	p.age(t)
	state := t.TempDir()
	for i, want := range []int{50, 0} {
		rec := p.recorder()
		if _, err := p.openAs(t, "fixture", state, rec).Plan(t.Context(), targettest.Release(files)); err != nil {
			t.Fatal(err)
		}
		got := rec.requests(func(r request) bool { return r.method == "GET" && r.key != "" && r.key[:5] == "posts" })
		if len(got) != want {
			t.Errorf("plan %d read %d objects, want %d", i+1, len(got), want)
		}
	}
}

// TestAdoptSendsNothing publishes a site whose very bytes and headers are in the bucket
// already: its content is copied there, not sent.
func TestAdoptSendsNothing(t *testing.T) {
	p := gateway(t)
	files := bigSite(40, 4000)
	publish(t, p.open(t, nil), targettest.Release(files))
	for _, key := range append(p.keys(t, ".mirror/"), site.DefaultBeacon) {
		p.deleteKey(t, key)
	}
	tgt, rec := p.open(t, nil), p.recorder()
	if live, err := tgt.Live(t.Context()); err != nil || live.Release != site.None || live.Revision == "" {
		t.Fatalf("live: got %+v, %v; want content of others", live, err)
	}
	publish(t, p.open(t, rec), targettest.Release(files))
	if _, sent := rec.count(); sent > 16<<10 {
		t.Errorf("sent %d bytes to adopt what is there; want documents only", sent)
	}
	copies := rec.requests(func(r request) bool { return r.isCopy() && r.key[:5] == "posts" })
	if len(copies) > 0 {
		t.Errorf("%d pages were replaced by themselves", len(copies))
	}
}
