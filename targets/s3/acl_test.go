package s3_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3"
	"mirror/targets/s3/internal/provider"
	"mirror/targets/targettest"
)

// onSpaces is a bucket of a service whose objects are private unless their ACL says otherwise.
func onSpaces(t *testing.T, config s3.Config) *provided {
	t.Helper()
	row, _ := provider.Find("digitalocean")
	endpoint, region := endpointOf(row)
	fake, transport := startProvider(t, row, endpoint, region, true)
	return &provided{t: t, fake: fake, transport: transport, endpoint: endpoint, state: t.TempDir(), config: config}
}

// wantStatus is what visitors get.
func (p *provided) wantStatus(want map[string]int) {
	p.t.Helper()
	for path, status := range want {
		if resp, _ := p.get(path); resp.StatusCode != status {
			p.t.Errorf("a visitor of %s gets %d, want %d", path, resp.StatusCode, status)
		}
	}
}

// TestACLsSurvive: an object that is replaced keeps its ACL, a new one gets that of the home page, a
// rollback brings the earlier ones back, and nothing of the target's own becomes public. The same where
// the service does not tell ACLs.
func TestACLsSurvive(t *testing.T) {
	for name, hides := range map[string]bool{"told": false, "hidden": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := onSpaces(t, s3.Config{})
			p.fake.hides = hides
			p.seed("index.html", "old", "public-read")
			p.seed("draft.html", "old", "private")
			p.seed("gone.html", "old", "public-read")
			publish(t, p.open(), targettest.Release(targettest.Files{"index.html": "1", "draft.html": "1", "new.css": "n"}))
			want := map[string]int{"index.html": 200, "draft.html": 403, "new.css": 200, strings.TrimPrefix(site.DefaultBeacon, "/"): 200, ".mirror/live": 403}
			p.wantStatus(want)

			tgt, next := p.open(), targettest.Release(targettest.Files{"index.html": "2", "draft.html": "2", "newer.css": "n"})
			plan, err := tgt.Plan(t.Context(), next)
			if err != nil {
				t.Fatal(err)
			}
			if err := tgt.Stage(t.Context(), next, nil); err != nil {
				t.Fatal(err)
			}
			swap := targets.Swap{From: plan.Live, To: next.ID()}
			if err := tgt.Commit(t.Context(), swap); err != nil {
				t.Fatal(err)
			}
			p.wantStatus(map[string]int{"index.html": 200, "draft.html": 403, "newer.css": 200})
			if err := tgt.Rollback(t.Context(), swap); err != nil {
				t.Fatal(err)
			}
			p.wantStatus(want)
		})
	}
}

// TestSettingsOfObjects: acl and storage_class are of the site's objects, sse of all.
func TestSettingsOfObjects(t *testing.T) {
	row, _ := provider.Find("aws")
	endpoint, region := endpointOf(row)
	fake, transport := startProvider(t, row, endpoint, region, true)
	config := s3.Config{ACL: "public-read", StorageClass: "STANDARD_IA", SSE: "aws:kms", SSEKMSKeyID: "alias/blog"}
	p := &provided{t: t, fake: fake, transport: transport, endpoint: endpoint, state: t.TempDir(), config: config}
	var mu sync.Mutex
	writes := 0
	fake.saw = func(r *http.Request, key string) {
		if r.Method != http.MethodPut {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		writes++
		acl, class := config.ACL, config.StorageClass
		if strings.HasPrefix(key, ".mirror/") {
			acl, class = "", ""
		}
		h := r.Header
		if h.Get("X-Amz-Acl") != acl || h.Get("X-Amz-Storage-Class") != class || h.Get("X-Amz-Server-Side-Encryption") != "aws:kms" ||
			h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != "alias/blog" {
			t.Errorf("%s is written with the headers %v", key, h)
		}
	}
	files := targettest.Files{"index.html": "1", "a.css": "a"}
	publish(t, p.open(), targettest.Release(files))
	p.visit(files)
	if writes < 5 {
		t.Errorf("saw %d writes", writes)
	}
}

// TestCodingsOfOtherTools: what other tools left in Content-Encoding changes no byte, and so is no
// reason to send a file again; a commit leaves it out.
func TestCodingsOfOtherTools(t *testing.T) {
	p := onSpaces(t, s3.Config{})
	p.seedAs("index.html", "home", http.Header{"X-Amz-Acl": {"public-read"}, "Content-Encoding": {"none"}, "Content-Type": {"text/html; charset=utf-8"}})
	p.seedAs("a.css", "a", http.Header{"X-Amz-Acl": {"public-read"}, "Content-Encoding": {"utf-8"}, "Content-Type": {"text/css; charset=utf-8"}})
	rel := targettest.Release(targettest.Files{"index.html": "home", "a.css": "a"})
	plan, err := p.open().Plan(t.Context(), rel)
	if err != nil || len(plan.Changes.Add) > 0 || len(plan.Changes.Delete) > 0 || len(plan.Changes.Change) != 2 || len(plan.Changes.Metadata) != 2 {
		t.Errorf("the plan is %+v, %v; want a change of two files' headers", plan.Changes, err)
	}
	publish(t, p.open(), rel)
	if resp, body := p.get("index.html"); body != "home" || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("a visitor gets %q in the coding %q", body, resp.Header.Get("Content-Encoding"))
	}
}

// TestAnEmptyBucketThatVisitorsCannotRead: objects without an ACL are private there, which the first publish
// warns of.
func TestAnEmptyBucketThatVisitorsCannotRead(t *testing.T) {
	for acl, warned := range map[string]bool{"": true, "public-read": false, "none": false} {
		p := onSpaces(t, s3.Config{ACL: acl})
		var log bytes.Buffer
		p.log = slog.New(slog.NewTextHandler(&log, nil))
		publish(t, p.open(), targettest.Release(targettest.Files{"index.html": "1"}))
		if got := strings.Contains(log.String(), "set acl: public-read"); got != warned {
			t.Errorf("acl %q: warned %t, log %s", acl, got, log.String())
		}
		want := map[string]int{"index.html": 403}
		if acl == "public-read" {
			want["index.html"] = 200
		}
		p.wantStatus(want)
	}
}

// TestTwoWritersWithoutConditions: where the service cannot compare, of two publishers whose writes of
// the state cross one goes on, and the other has written nothing that visitors see.
func TestTwoWritersWithoutConditions(t *testing.T) {
	row, _ := provider.Find("b2")
	endpoint, region := endpointOf(row)
	fake, transport := startProvider(t, row, endpoint, region, true)
	p := &provided{t: t, fake: fake, transport: transport, endpoint: endpoint, state: t.TempDir()}
	publish(t, p.open(), targettest.Release(targettest.Files{"index.html": "0"}))
	swap := func(tgt *s3.Target, content string) targets.Swap {
		rel := targettest.Release(targettest.Files{"index.html": content})
		plan, err := tgt.Plan(t.Context(), rel)
		if err != nil {
			t.Fatal(err)
		}
		if err := tgt.Stage(t.Context(), rel, nil); err != nil {
			t.Fatal(err)
		}
		return targets.Swap{From: plan.Live, To: rel.ID()}
	}
	first, second := p.openAs("first"), p.openAs("second")
	one, two := swap(first, "1"), swap(second, "2")
	compared, written := newMeeting(2), newMeeting(2) // each has compared before the other writes, and written before the other looks again
	isState := func(r *http.Request, key string) bool { return r.Method == http.MethodPut && key == ".mirror/live" }
	var pages atomic.Int64
	fake.saw = func(r *http.Request, key string) {
		if isState(r, key) {
			compared.join()
		}
		if r.Method == http.MethodPut && key == "index.html" {
			pages.Add(1)
		}
	}
	fake.stored = func(r *http.Request, key string) {
		if isState(r, key) {
			written.join()
		}
	}
	var all sync.WaitGroup
	errs := make([]error, 2)
	all.Go(func() { errs[0] = first.Commit(t.Context(), one) })
	all.Go(func() { errs[1] = second.Commit(t.Context(), two) })
	all.Wait()
	if n := pages.Load(); n != 1 || (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("%d commits wrote the page: %v, %v; want one winner", n, errs[0], errs[1])
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, targets.ErrConflict) {
			t.Errorf("got %v, want a conflict", err)
		}
	}
}

// meeting holds up the first who join until all have.
type meeting struct {
	all  int64
	came atomic.Int64
	open chan struct{}
}

func newMeeting(all int64) *meeting { return &meeting{all: all, open: make(chan struct{})} }

func (m *meeting) join() {
	if m.came.Add(1) == m.all {
		close(m.open)
	}
	select {
	case <-m.open:
	case <-time.After(time.Minute): // the test fails for another reason
	}
}
