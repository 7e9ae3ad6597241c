package check_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/check"
	"mirror/site"
)

// clocked notes when it was asked for each path last.
type clocked struct {
	http.Handler
	mu   sync.Mutex
	last map[string]time.Time
}

func (c *clocked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "" || strings.HasSuffix(path, "/") {
		path += "index.html"
	}
	c.mu.Lock()
	c.last[path] = time.Now()
	c.mu.Unlock()
	c.Handler.ServeHTTP(w, r)
}

func (c *clocked) at(path string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[path]
}

// TestTimesAreOfTheDecidingRequests has the origin decide between the bounds of each difference, and
// between those of each page that was right.
func TestTimesAreOfTheDecidingRequests(t *testing.T) {
	w := newWorld()
	w.holds["old.html"] = "removed"
	w.spoil["css/site.css"] = status(http.StatusNotFound)
	w.spoil["plain.txt"] = func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "none") }
	c := &clocked{Handler: w, last: map[string]time.Time{}}
	o := options()
	o.Headers = check.Headers{Names: []string{"X-Frame-Options"}, Expected: func(_, path, _ string) string {
		if path == "index.html" {
			return "DENY"
		}
		return ""
	}}
	v := run(t, o, serveAs(t, "a", c)).Origins[0]
	if len(v.Differences) != 4 {
		t.Errorf("got %+v", v.Differences)
	}
	for _, d := range v.Differences {
		if at := c.at(d.Path); at.Before(d.Asked) || at.After(d.Answered) || d.Asked.IsZero() {
			t.Errorf("%s %s: decided at %s, between %s and %s", d.Kind, d.Path, at, d.Asked, d.Answered)
		}
	}
	for path := range release {
		asked, answered := v.Times.Looks.Of(path)
		if at := c.at(path); path != "404.html" && (at.Before(asked) || at.After(answered)) {
			t.Errorf("%s: decided at %s, between %s and %s", path, at, asked, answered)
		}
	}
}

// TestTimesOfWhatIsTheSameOnEveryPage has one difference stand for all pages.
func TestTimesOfWhatIsTheSameOnEveryPage(t *testing.T) {
	var mu sync.Mutex
	var at []time.Time
	parked := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Now())
		_, _ = io.WriteString(rw, "for sale")
	})
	o := options()
	o.BeaconPath, o.NotFound, o.Absent = "", "", nil
	v := run(t, o, serveAs(t, "a", parked)).Origins[0]
	if len(v.Differences) == 0 || v.Differences[0].Path != "*" {
		t.Fatalf("got %+v", v.Differences)
	}
	mu.Lock()
	defer mu.Unlock()
	d := v.Differences[0]
	if d.Answered.Before(at[0]) || d.Asked.After(at[len(at)-1]) || d.Asked.Before(at[0].Add(-time.Minute)) || d.Pages != len(release) {
		t.Errorf("by %s, not over at %s, of requests from %s to %s", d.Answered, d.Asked, at[0], at[len(at)-1])
	}
}

// TestTimesOfAnOriginThatGoesDown has an origin answer some pages, and then none.
func TestTimesOfAnOriginThatGoesDown(t *testing.T) {
	var mu sync.Mutex
	var lastGood, firstBad, lastBad time.Time
	asked := 0
	w := newWorld()
	dying := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if asked++; asked <= 20 {
			lastGood = now
			w.ServeHTTP(rw, r)
			return
		}
		if firstBad.IsZero() {
			firstBad = now
		}
		lastBad = now
		panic(http.ErrAbortHandler)
	})
	o := options()
	for _, name := range strings.Split(strings.Repeat("x", 200), "") {
		o.Manifest = append(o.Manifest, site.File{Path: name + "/" + strings.Repeat("y", len(o.Manifest)) + ".html", Digest: site.Digest{1}})
	}
	v := run(t, o, serveAs(t, "a", dying)).Origins[0]
	mu.Lock()
	defer mu.Unlock()
	if v.Err == nil || v.Times.ErrAnswered.Before(firstBad) || v.Times.ErrAnswered.Before(lastGood) || v.Times.ErrAsked.After(lastBad) {
		t.Errorf("%v: by %s, not over at %s; the last good answer was at %s, bad ones were from %s to %s", v.Err, v.Times.ErrAnswered, v.Times.ErrAsked, lastGood, firstBad, lastBad)
	}
}
