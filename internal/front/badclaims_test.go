package front_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/front"
	"mirror/internal/lab/edge"
	"mirror/site"
)

// heard gathers the events of a front.
type heard struct {
	mu  sync.Mutex
	all []front.Event
}

func (h *heard) hear(e front.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, e)
}

// of returns the detail of an origin's unproven claim of a release, "" for none.
func (h *heard) of(origin string, id site.ID) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.all {
		if e.Event == front.Unproven && e.Origin == origin && e.Release == id {
			return e.Detail
		}
	}
	return ""
}

// answers has an origin answer some paths by texts, and the others as before.
func answers(texts map[string]string) edge.Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, ok := texts[r.URL.Path]
			if !ok {
				next.ServeHTTP(w, r)
				return
			}
			_, _ = w.Write([]byte(text)) // the front may have gone
		})
	}
}

func sumsPath(id site.ID) string { return "/" + site.SumsPath(id) }

// TestTwoManifestsForOneClaim has two origins claim a release and serve different manifests for it: only the one whose
// digest is the release's ID counts, whichever is asked for first. If none fits, the claim is reported and nothing moves.
func TestTwoManifestsForOneClaim(t *testing.T) {
	var events heard
	w := newWorld(t, 2, front.Options{Quorum: 2, Events: events.hear, Poll: 10 * time.Millisecond, Hurry: 10 * time.Millisecond})
	w.options.Trust = nil
	one, two, forged := release(t, 1, v1()), release(t, 2, v2()), release(t, 2, map[string]string{"index.html": "forged"})
	for wrong := range 2 {
		rel := []*site.Release{one, two}[wrong]
		w.publish(rel, 0, 1)
		w.origins[wrong].breakBy(answers(map[string]string{sumsPath(rel.ID()): manifestText(t, forged)}))
		w.origins[1-wrong].breakBy(answers(map[string]string{sumsPath(rel.ID()): manifestText(t, rel)}))
		if wrong == 0 {
			w.start()
		}
		w.await("/", fmt.Sprintf("home %d", wrong+1))
	}
	three := release(t, 3, map[string]string{"index.html": "home 3"})
	for i, text := range []string{manifestText(t, forged), "no manifest at all"} {
		w.origins[i].breakBy(answers(map[string]string{sumsPath(three.ID()): text}))
	}
	w.publish(three, 0, 1)
	for i := range w.origins {
		name := fmt.Sprintf("origin%d", i)
		w.eventually(func() bool {
			return strings.Contains(events.of(name, three.ID()), "is not the manifest of the release")
		}, func() string {
			return fmt.Sprintf("%s: %q", name, events.of(name, three.ID()))
		})
	}
	if got := w.get("/"); got.body != "home 2" {
		t.Errorf("a visitor gets %+v", got)
	}
}

// TestManifestsThatAreRefused has both origins claim a release for which the front is told a manifest that it cannot use.
func TestManifestsThatAreRefused(t *testing.T) {
	other := release(t, 3, v2()).Manifest
	for name, c := range map[string]struct {
		claims, told site.Manifest
		want         string
	}{
		"of another release": {release(t, 2, map[string]string{"a.html": "a"}).Manifest, other, "its manifest is that of another release"},
		"too many files":     {manyFiles(11), nil, "it has 11 files, and 10 may be served"},
	} {
		t.Run(name, func(t *testing.T) {
			var events heard
			w := newWorld(t, 2, front.Options{Quorum: 2, MaxFiles: 10, Events: events.hear, Poll: 10 * time.Millisecond})
			w.publish(release(t, 1, v1()), 0, 1)
			w.start()
			w.await("/", "home 1")
			told, id := c.claims, c.claims.ID()
			if c.told != nil {
				told = c.told
			}
			w.trusted.Store(id, told)
			beacon := fmt.Sprintf(`{"release":%q,"sequence":2}`, id)
			for _, p := range w.origins {
				p.breakBy(answers(map[string]string{"/" + site.DefaultBeacon: beacon}))
			}
			w.eventually(func() bool { return events.of("origin0", id) == c.want }, func() string { return events.of("origin0", id) })
			if got := w.get("/"); got.body != "home 1" {
				t.Errorf("a visitor gets %+v", got)
			}
		})
	}
}

// manyFiles is a manifest of so many files, which all are "page".
func manyFiles(n int) site.Manifest {
	m := make(site.Manifest, n)
	page := site.File{Size: 4, Digest: sha256.Sum256([]byte("page"))}
	for i := range m {
		m[i] = page
		m[i].Path = string([]byte{'a' + byte(i>>20), 'a' + byte(i>>16&15), 'a' + byte(i>>12&15), 'a' + byte(i>>8&15), 'a' + byte(i>>4&15), 'a' + byte(i&15)})
	}
	return m
}

// TestAMillionFiles serves a release of a million files. It is part of make experiment-front.
func TestAMillionFiles(t *testing.T) {
	if os.Getenv("MIRROR_EXPERIMENT") != "full" {
		t.Skip("takes 1 GB of memory: make experiment-front")
	}
	m := manyFiles(1_000_000)
	id := m.ID()
	w := newWorld(t, 1, front.Options{Quorum: 1})
	w.options.Trust = func(context.Context, site.ID) (site.Manifest, error) { return m, nil }
	texts := map[string]string{"/" + site.DefaultBeacon: fmt.Sprintf(`{"release":%q,"sequence":1}`, id)}
	w.origins[0].breakBy(func(http.Handler) http.Handler {
		return answers(texts)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("page")) }))
	})
	began := time.Now()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w.start()
	w.await("/"+m[999_999].Path, "page")
	t.Logf("a million files are served after %s", time.Since(began))
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("the front holds %d MB", (after.HeapAlloc-before.HeapAlloc)>>20)
	began = time.Now()
	w.start()
	w.await("/"+m[0].Path, "page")
	t.Logf("and %s after a restart", time.Since(began))
}
