package watch_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/watch"
	"mirror/site"
)

// removal is an origin at which page.html changes and old.html is removed. missing answers for
// what is not there, nil with 404.
type removal struct {
	missing, removed http.Handler
	turned           atomic.Bool
}

func (r *removal) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	old := !r.turned.Load()
	switch path := req.URL.Path; {
	case path == "/page.html" && old:
		_, _ = io.WriteString(rw, "page, old")
	case path == "/page.html":
		_, _ = io.WriteString(rw, "page, new")
	case path == "/stays.html":
		_, _ = io.WriteString(rw, "stays")
	case path == "/old.html" && old:
		_, _ = io.WriteString(rw, "old page")
	case path == "/old.html" && r.removed != nil:
		r.removed.ServeHTTP(rw, req)
	case r.missing != nil:
		r.missing.ServeHTTP(rw, req)
	default:
		http.NotFound(rw, req)
	}
}

// watch watches the removal until it is settled, or the removed page was looked at so often
// since it went; 0 for without end.
func (r *removal) watch(t *testing.T, looks int64) (late []string, w diff.Window) {
	t.Helper()
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	changes := []diff.Change{
		{Path: "old.html", Old: digest([]byte("old page"))},
		{Path: "page.html", Old: digest([]byte("page, old")), New: digest([]byte("page, new"))},
	}
	m := site.Manifest{{Path: "page.html", Digest: changes[1].New}, {Path: "stays.html", Digest: digest([]byte("stays"))}}
	ctx, cancel := context.WithTimeout(t.Context(), settling)
	defer cancel()
	at := origin.Endpoint{Name: "o", URL: u, Options: origin.Options{Concurrency: 4, Timeout: time.Minute}}
	met := make(chan struct{}, 1000)
	var looked atomic.Int64
	watched := watch.Start(ctx, []origin.Endpoint{at}, watch.Options{
		Began: time.Now(), Changes: changes, Release: m.ID(), Manifest: m,
		See: func(_ string, o site.Observation, side diff.Side) {
			if o.Path == "old.html" && r.turned.Load() && looked.Add(1) == looks {
				cancel()
			}
			if side == diff.Old && o.Path == "old.html" {
				select {
				case met <- struct{}{}:
				default:
				}
			}
		},
	})
	<-met
	r.turned.Store(true)
	late = watched.Settle(ctx, []string{"o"})
	watched.Stop()
	return late, watched.Window()
}

func answering(code int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) })
}

// settling is how long a watch that should settle may take on a busy machine.
const settling = 2 * time.Minute

// TestWatchKnowsWhatIsGone closes the window of a removed page in all the ways in which origins
// say that it is not there.
func TestWatchKnowsWhatIsGone(t *testing.T) {
	to := func(where string) http.Handler { return http.RedirectHandler(where, http.StatusMovedPermanently) }
	for name, r := range map[string]*removal{
		"404":                    {},
		"403 of a bucket":        {missing: answering(http.StatusForbidden)},
		"401":                    {missing: answering(http.StatusUnauthorized)},
		"moved":                  {removed: to("/page.html")},
		"moved to the home page": {removed: to("/")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if late, w := r.watch(t, 0); len(late) > 0 || !w.Closed || w.Origins[0].Reversals != 0 {
				t.Errorf("late %v, window %+v", late, w)
			}
		})
	}
}

// TestWatchIsNotToldThatAPageIsGone keeps the window open where nothing shows that the page is
// not there.
func TestWatchIsNotToldThatAPageIsGone(t *testing.T) {
	to := func(where string) http.Handler { return http.RedirectHandler(where, http.StatusFound) }
	for name, r := range map[string]*removal{
		"403 of a firewall":    {removed: answering(http.StatusForbidden)},
		"401 where 403 is due": {removed: answering(http.StatusUnauthorized), missing: answering(http.StatusForbidden)},
		"parked":               {removed: to("https://parked.example/")},
		"led to itself":        {removed: to("/old.html")},
		"a soft 404":           {removed: answering(http.StatusOK)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if late, w := r.watch(t, 20); len(late) != 1 || w.Closed || len(w.Origins[0].Open) == 0 {
				t.Errorf("late %v, window %+v", late, w)
			}
		})
	}
}

// TestWatchOfAFirewall has everything refused: that is no absence.
func TestWatchOfAFirewall(t *testing.T) {
	s := httptest.NewServer(answering(http.StatusForbidden))
	defer s.Close()
	u, err := url.Parse(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	at := origin.Endpoint{Name: "o", URL: u, Options: origin.Options{Concurrency: 4, Timeout: time.Minute}}
	w := watch.Start(ctx, []origin.Endpoint{at}, watch.Options{Began: time.Now(), Changes: []diff.Change{{Path: "old.html", Old: digest([]byte("old page"))}}})
	if late := w.Settle(ctx, []string{"o"}); len(late) != 1 {
		t.Error("a firewall was taken for the removal of the page")
	}
	w.Stop()
}

// TestNextWaitsForAPageThatIsRefused waits for a page that a bucket has not yet, which it says
// by 403.
func TestNextWaitsForAPageThatIsRefused(t *testing.T) {
	r := &removal{missing: answering(http.StatusForbidden)}
	var there atomic.Bool
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		switch {
		case req.URL.Path == "/":
			_, _ = io.WriteString(rw, "home")
		case req.URL.Path == "/new.html" && there.Load():
			_, _ = io.WriteString(rw, "new page")
		case req.URL.Path == "/new.html":
			there.Store(asked.Add(1) > 3)
			fallthrough
		default:
			r.ServeHTTP(rw, req)
		}
	}))
	defer s.Close()
	u, err := url.Parse(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), settling)
	defer cancel()
	at := origin.Endpoint{Name: "o", URL: u, Style: site.URLStyle{NoIndex: true}, Options: origin.Options{Concurrency: 4, Timeout: time.Minute}}
	o, err := watch.Next(ctx, []origin.Endpoint{at}, []string{"new.html"})
	if err != nil || len(o.Changes) != 1 || !o.Changes[0].Old.IsZero() || o.Changes[0].New != digest([]byte("new page")) {
		t.Errorf("got %+v, %v", o.Changes, err)
	}
}
