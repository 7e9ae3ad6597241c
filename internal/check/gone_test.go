package check_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"mirror/site"
)

// clean serves the world's pages without their endings, too.
func (w *world) clean() *world {
	for path, text := range w.holds {
		if short, ok := strings.CutSuffix(path, ".html"); ok {
			w.spoil[short] = func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "text/html")
				io.WriteString(rw, text)
			}
		}
	}
	return w
}

// unlisted turns 404 into 403, as a bucket does that may not be listed.
type unlisted struct{ http.ResponseWriter }

func (u unlisted) WriteHeader(code int) {
	if code == http.StatusNotFound {
		code = http.StatusForbidden
	}
	u.ResponseWriter.WriteHeader(code)
}

// TestRunKnowsWhatIsGone asks for removed pages in all the ways in which origins say that they
// are not there, and in those in which they only seem to.
func TestRunKnowsWhatIsGone(t *testing.T) {
	const old = "removed bytes"
	serve := func(text string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, text) }
	}
	to := func(where string) http.HandlerFunc {
		return http.RedirectHandler(where, http.StatusMovedPermanently).ServeHTTP
	}
	clean := site.URLStyle{CleanURLs: true}
	for name, c := range map[string]struct {
		removed string
		style   site.URLStyle
		spoil   map[string]http.HandlerFunc
		want    []string
	}{
		"moved on the host":           {"old.html", site.URLStyle{}, map[string]http.HandlerFunc{"old.html": to("/about/")}, nil},
		"parked":                      {"old.html", site.URLStyle{}, map[string]http.HandlerFunc{"old.html": to("https://parked.example/")}, []string{"a redirected old.html"}},
		"led to itself":               {"old.html", site.URLStyle{}, map[string]http.HandlerFunc{"old.html": to("/old.html")}, []string{"a redirected old.html"}},
		"still there":                 {"old.html", site.URLStyle{}, map[string]http.HandlerFunc{"old.html": serve(old)}, []string{"a extra old.html"}},
		"a soft 404":                  {"old.html", site.URLStyle{}, map[string]http.HandlerFunc{"old.html": serve(release["404.html"])}, []string{"a extra old.html"}},
		"firewalled":                  {"old.html", site.URLStyle{}, map[string]http.HandlerFunc{"old.html": status(403)}, []string{"a unreachable old.html"}},
		"a folder that is not listed": {"css/index.html", site.URLStyle{}, map[string]http.HandlerFunc{"css/index.html": status(403)}, nil},
		"a file that became a folder": {"about", site.URLStyle{}, map[string]http.HandlerFunc{"about": to("/about/")}, nil},
		"served as the folder":        {"about", site.URLStyle{}, map[string]http.HandlerFunc{"about": serve(release["about/index.html"])}, nil},
		"the file is there still":     {"about", site.URLStyle{}, map[string]http.HandlerFunc{"about": serve(old)}, []string{"a altered about/index.html", "a extra about"}},
		"clean: became a folder":      {"about.html", clean, map[string]http.HandlerFunc{"about": to("/about/")}, nil},
		"clean: is there still":       {"about.html", clean, map[string]http.HandlerFunc{"about": serve(old)}, []string{"a altered about/index.html", "a extra about.html"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld().clean()
			for path, h := range c.spoil {
				w.spoil[path] = h
			}
			o := options()
			o.Absent, o.NotFound = []string{c.removed}, ""
			o.Manifest = slices.DeleteFunc(slices.Clone(o.Manifest), func(f site.File) bool { return f.Path == "404.html" })
			o.Release = o.Manifest.ID()
			at := w.start(t, "a")
			at.Style = c.style
			if got := drifts(run(t, o, at)); !slices.Equal(got, append([]string{}, c.want...)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestRunTakesARefusalForAbsence has an origin answer 403 for what it does not have: removed
// pages are asked for once, and agree; one that refuses everything does not.
func TestRunTakesARefusalForAbsence(t *testing.T) {
	o := options()
	o.NotFound = ""
	o.Absent = []string{"old.html", "older.html"}
	var removed atomic.Int32
	count := func(h http.Handler) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old.html" || r.URL.Path == "/older.html" {
				removed.Add(1)
			}
			h.ServeHTTP(unlisted{rw}, r)
		}
	}
	at := serveAs(t, "a", count(newWorld()))
	at.Concurrency = 1
	if v := run(t, o, at); !v.Agree() || removed.Load() != 2 {
		t.Errorf("got %q, %d requests for removed pages", drifts(v), removed.Load())
	}
	v := run(t, o, serveAs(t, "a", status(http.StatusForbidden)))
	if v.Agree() || v.Drifted() {
		t.Errorf("a firewall: got %q", drifts(v))
	}
}

// TestRunAsksOncePerURL has the release hold a page at the URL of a removed one.
func TestRunAsksOncePerURL(t *testing.T) {
	w := newWorld().clean()
	o := options()
	o.Absent = []string{"plain.txt.html"}
	at := w.start(t, "a")
	at.Style.CleanURLs = true
	if v := run(t, o, at); len(drifts(v)) > 0 {
		t.Errorf("got %q", drifts(v))
	}
	w.holds["plain.txt"] = "removed bytes"
	if got := drifts(run(t, o, at)); !slices.Equal(got, []string{"a altered plain.txt"}) {
		t.Errorf("got %q", got)
	}
}
