package watch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/internal/origin"
	"mirror/internal/watch"
)

// TestFewUniqueQueries watches an origin whose caches stay old for a thousand answers after it has switched. Each query that was
// never used before leaves an object in the caches: there may be 32 of them, for no more than 4 pages. Before it has switched
// nothing is requested as visitors do: that would leave the old page in the caches.
func TestFewUniqueQueries(t *testing.T) {
	longtest.Skip(t, "waits for origins that never switch")
	t.Parallel()
	var mu sync.Mutex
	const oldQueries = 6
	queries, paths, answers, early := map[string]bool{}, map[string]bool{}, 0, false
	enough := make(chan struct{})
	live := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.RawQuery != "" {
			queries[r.URL.RawQuery], paths[r.URL.Path] = true, true
			if len(queries) > oldQueries {
				fmt.Fprint(w, "<p>new")
				return
			}
			fmt.Fprint(w, "<p>old")
			return
		}
		early = early || len(queries) <= oldQueries
		if answers++; answers == 1000 {
			close(enough)
		}
		fmt.Fprint(w, "<p>old")
	}))
	defer live.Close()
	u, err := url.Parse(live.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	var changes []diff.Change
	for i := range 40 {
		changes = append(changes, diff.Change{Path: fmt.Sprintf("p%d.html", i), Old: digest([]byte("<p>old")), New: digest([]byte("<p>new"))})
	}
	at := origin.Endpoint{Name: "cdn", URL: u, CDN: true, Options: origin.Options{Concurrency: 4, Rate: 5000, Timeout: time.Minute}}
	w := watch.Start(t.Context(), []origin.Endpoint{at}, watch.Options{Began: time.Now(), Changes: changes})
	<-enough
	w.Stop()
	mu.Lock()
	defer mu.Unlock()
	if len(queries) == 0 || len(queries) > 32 || len(paths) > 4 {
		t.Errorf("%d unique queries for %d pages in %d answers; want some, at most 32 for 4", len(queries), len(paths), answers)
	}
	if early {
		t.Error("the origin was asked as visitors ask it before it had switched")
	}
	if o := w.Window().Origins[0]; o.Behind == nil || o.Behind.Before.IsZero() || !o.AllNew.Before.IsZero() {
		t.Errorf("behind the caches: got %+v, want new pages, and old ones before: %+v", o.Behind, o.AllNew)
	}
}
