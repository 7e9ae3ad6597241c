package workspace_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"mirror/internal/publish"
	"mirror/internal/workspace"
)

// TestPurgeNowReachesCaches removes a file that an earlier publish has deleted already: the caches before the origin are
// asked to drop its URL all the same. A cache that refuses is an error, and the release stays live.
func TestPurgeNowReachesCaches(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex // guards what follows
	var asked []string
	refuses := false
	cache := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path)
		if refuses {
			http.Error(w, "not allowed here", http.StatusForbidden)
		}
	})
	p, _ := behindCaches(t, func(origin string) (string, string) { return origin, fmt.Sprintf("[{type: varnish, url: %q}]", cache) })
	p.write("public/keys/a.txt", "the password")
	p.publish()
	p.remove("public/keys/a.txt")
	p.publish()
	purge := func(refused bool) (*publish.Report, error) {
		mu.Lock()
		asked, refuses = nil, refused
		mu.Unlock()
		return p.open("state").Publish(t.Context(), workspace.PublishOptions{PurgeNow: []string{"/keys/a.txt"}})
	}
	r, err := purge(false)
	if err != nil || r.Outcome != publish.Unchanged || len(r.Erased) != 1 || r.Erased[0].Err != nil || len(r.Erased[0].Left) == 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
	mu.Lock()
	if !slices.Contains(asked, "/keys/a.txt") {
		t.Errorf("the cache was asked to drop %q, and not the file", asked)
	}
	mu.Unlock()
	var left *workspace.ErasureError
	if r, err = purge(true); !errors.As(err, &left) || r.Outcome != publish.Unchanged {
		t.Errorf("a cache that refuses: got %+v, %v", r, err)
	}
}

// TestPurgeNowNamesPathsThatNoReleaseHad warns of a path with a typing error, from the machine that published and from one
// without a history, and takes names with # and ? as they are.
func TestPurgeNowNamesPathsThatNoReleaseHad(t *testing.T) {
	t.Parallel()
	p, _ := behindCaches(t, func(origin string) (string, string) { return origin, "[]" })
	p.write("public/keys/a#1?.txt", "the password")
	p.publish()
	p.remove("public/keys/a#1?.txt")
	for _, state := range []string{"state", "fresh"} {
		p.warnings.Take()
		r, err := p.open(state).Publish(t.Context(), workspace.PublishOptions{PurgeNow: []string{"keys/a#1?.txt", "keys/b.txt"}})
		if err != nil || len(r.Erased) != 1 || r.Erased[0].Err != nil {
			t.Fatalf("%s: got %+v, %v", state, r, err)
		}
		all := strings.Join(p.warnings.Take(), "\n")
		if !strings.Contains(all, "--purge-now keys/b.txt: no release") || strings.Contains(all, "a#1?.txt") {
			t.Errorf("%s: warnings %q", state, all)
		}
	}
}
