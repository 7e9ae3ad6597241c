package check_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/site"
)

// files is a site's content by path.
type files map[string]string

var release = files{
	"index.html": "home", "about/index.html": "about", "css/site.css": "a{}", "404.html": "no such page",
	"文章/50% + #?.html": "odd", "plain.txt": "text",
}

func (f files) manifest() site.Manifest {
	var m site.Manifest
	for path, text := range f {
		m = append(m, site.File{Path: path, Size: int64(len(text)), Digest: sha256.Sum256([]byte(text))})
	}
	m.Sort()
	return m
}

// world is a live origin of a test: it serves what it holds, after what spoils it.
type world struct {
	mu       sync.Mutex
	holds    files
	spoil    map[string]http.HandlerFunc // by path
	down     bool
	requests atomic.Int64
}

func newWorld() *world {
	w := &world{holds: files{}, spoil: map[string]http.HandlerFunc{}}
	for path, text := range release {
		w.holds[path] = text
	}
	beacon := site.NewRelease(release.manifest(), nil, site.DefaultBeacon, time.Now()).Beacon()
	w.holds[site.DefaultBeacon] = string(beacon)
	return w
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.requests.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "" || strings.HasSuffix(path, "/") {
		path += "index.html"
	}
	text, ok := w.holds[path]
	switch spoil := w.spoil[path]; {
	case w.down:
		panic(http.ErrAbortHandler)
	case spoil != nil:
		spoil(rw, r)
	case ok:
		rw.Header().Set("Content-Type", site.ContentType(path, []byte(text)))
		io.WriteString(rw, text)
	default:
		rw.WriteHeader(http.StatusNotFound)
		io.WriteString(rw, w.holds["404.html"])
	}
}

// start serves the world until the test ends.
func (w *world) start(t testing.TB, name string) origin.Endpoint {
	t.Helper()
	return serveAs(t, name, w)
}

func serveAs(t testing.TB, name string, h http.Handler) origin.Endpoint {
	t.Helper()
	s := httptest.NewServer(h)
	s.Config.ErrorLog = nil
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	u, err := url.Parse(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	return origin.Endpoint{
		Name: name, URL: u,
		Options: origin.Options{Concurrency: 4, Timeout: time.Minute, Confirm: 1},
	}
}

func options() check.Options {
	m := release.manifest()
	return check.Options{Release: m.ID(), Manifest: m, BeaconPath: site.DefaultBeacon, NotFound: "404.html", Absent: []string{"old.html", "CNAME"}, OwnFiles: []string{"CNAME"}}
}

func run(t testing.TB, o check.Options, origins ...origin.Endpoint) diff.Verdict {
	t.Helper()
	v, err := check.Run(t.Context(), origins, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func drifts(v diff.Verdict) []string {
	all := []string{}
	for _, o := range v.Origins {
		for _, d := range o.Differences {
			all = append(all, fmt.Sprintf("%s %s %s", d.Origin, d.Kind, d.Path))
		}
	}
	slices.Sort(all)
	return all
}

func TestRunAgrees(t *testing.T) {
	v := run(t, options(), newWorld().start(t, "a"), newWorld().start(t, "b"))
	if !v.Agree() || v.Pages != len(release) {
		t.Errorf("got %v", drifts(v))
	}
	for _, o := range v.Origins {
		if o.Release != options().Release || o.Match != len(release) || o.Requests < int64(len(release)) {
			t.Errorf("got %+v", o)
		}
	}
}

// spoils are all the ways in which the worlds go wrong, and the drift that each is.
var spoils = []struct {
	kind  diff.Kind
	spoil func(w *world, path string)
}{
	{diff.Missing, func(w *world, path string) { delete(w.holds, path) }},
	{diff.Altered, func(w *world, path string) { w.holds[path] += "!" }},
	{diff.Altered, func(w *world, path string) { w.holds[path] = "" }},
	{diff.Altered, func(w *world, path string) { w.holds[path] = strings.Repeat("x", 3<<20) }},
	{diff.Redirected, func(w *world, path string) {
		w.spoil[path] = http.RedirectHandler("https://parked.example/", http.StatusMovedPermanently).ServeHTTP
	}},
	{diff.Unreachable, func(w *world, path string) { w.spoil[path] = status(503) }},
	{diff.Unreachable, func(w *world, path string) {
		w.spoil[path] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	}},
	{diff.Unreachable, func(w *world, path string) {
		w.spoil[path] = func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "99")
			io.WriteString(rw, "cut")
			panic(http.ErrAbortHandler)
		}
	}},
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", code) }
}

// TestRunFindsExactlyWhatIsWrong spoils pages of three origins at random, 150 times.
func TestRunFindsExactlyWhatIsWrong(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pages := []string{"about/index.html", "css/site.css", "文章/50% + #?.html", "plain.txt"}
	for range 150 {
		var origins []origin.Endpoint
		want := []string{}
		for _, name := range []string{"a", "b", "c"} {
			w := newWorld()
			for _, path := range pages {
				if rng.IntN(4) == 0 {
					s := spoils[rng.IntN(len(spoils))]
					s.spoil(w, path)
					want = append(want, fmt.Sprintf("%s %s %s", name, s.kind, path))
				}
			}
			if rng.IntN(4) == 0 {
				w.holds["old.html"] = "removed long ago"
				want = append(want, name+" extra old.html")
			}
			w.holds["CNAME"] = "the host's own"
			origins = append(origins, w.start(t, name))
		}
		slices.Sort(want)
		v := run(t, options(), origins...)
		if got := drifts(v); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		if v.Agree() != (len(want) == 0) {
			t.Fatalf("agree %v with %q", v.Agree(), want)
		}
	}
}

func TestRunSeesSoftNotFound(t *testing.T) {
	w := newWorld()
	o := w.start(t, "a")
	soft := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "mirror-") {
			io.WriteString(rw, "<html>Sorry, nothing here")
			return
		}
		w.ServeHTTP(rw, r)
	})
	s := httptest.NewServer(soft)
	t.Cleanup(s.Close)
	o.URL, _ = url.Parse(s.URL + "/")
	if got := drifts(run(t, options(), o)); !slices.Equal(got, []string{"a altered 404.html"}) {
		t.Errorf("got %q", got)
	}
}

func TestRunSaysThatAnOriginIsDead(t *testing.T) {
	dead := newWorld()
	dead.down = true
	v := run(t, options(), newWorld().start(t, "a"), dead.start(t, "b"))
	if b := v.Origins[1]; b.State() != diff.CannotBeSeen || b.Err == nil || len(b.Differences) != 0 || v.Agree() || v.Drifted() {
		t.Errorf("got %+v", b)
	}
}

// TestRunGivesUpOnASilentOrigin bounds what a hung origin with many pages costs.
func TestRunGivesUpOnASilentOrigin(t *testing.T) {
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(stop); s.Close() })
	u, _ := url.Parse(s.URL + "/")
	at := origin.Endpoint{Name: "hung", URL: u, Options: origin.Options{Concurrency: 4, Timeout: 100 * time.Millisecond}}
	o := options()
	for i := range 5000 {
		o.Manifest = append(o.Manifest, site.File{Path: fmt.Sprintf("z%04d.html", i), Digest: site.Digest{1}})
	}
	v := run(t, o, at)
	if v.Origins[0].Err == nil || v.Origins[0].Requests > 20 {
		t.Errorf("%d requests: %v", v.Origins[0].Requests, v.Origins[0].Err)
	}
}

func TestRunIgnores(t *testing.T) {
	w := newWorld()
	w.holds["plain.txt"], w.holds["css/site.css"] = "x", "x"
	o := options()
	o.Ignore = []string{"*.txt", "css/**"}
	if v := run(t, o, w.start(t, "a")); !v.Agree() {
		t.Errorf("got %q", drifts(v))
	}
}

func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := check.Run(ctx, []origin.Endpoint{newWorld().start(t, "a")}, options()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestAwait has an origin become right only after it was looked at some times.
func TestAwait(t *testing.T) {
	w := newWorld()
	beacon := w.holds[site.DefaultBeacon]
	w.holds["index.html"] = "old"
	var asked int
	w.spoil[site.DefaultBeacon] = func(rw http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 4 {
			io.WriteString(rw, "{}")
			return
		}
		w.holds["index.html"] = release["index.html"]
		io.WriteString(rw, beacon)
	}
	v, err := check.Await(t.Context(), []origin.Endpoint{w.start(t, "slow"), newWorld().start(t, "quick")}, options(), 30*time.Second)
	if err != nil || !v.Agree() || asked < 4 {
		t.Errorf("after %d questions to the beacon: got %v, %q", asked, err, drifts(v))
	}
}

func TestAwaitRunsOutOfPatience(t *testing.T) {
	w := newWorld()
	w.holds["index.html"] = "old"
	at := w.start(t, "a")
	want := []string{"a altered index.html"}
	await := func(patience time.Duration) []string {
		v, err := check.Await(t.Context(), []origin.Endpoint{at}, options(), patience)
		if err != nil {
			t.Error(err)
		}
		return drifts(v)
	}
	if got := await(0); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	got, patience := []string{}, 100*time.Millisecond
	for ; !slices.Equal(got, want) && patience < time.Minute; patience *= 4 { // a busy machine needs more for one look
		got = await(patience)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestRunNormalizes(t *testing.T) {
	w := newWorld()
	w.holds["about/index.html"] = "about<!-- rendered at 12:30 -->"
	w.holds["plain.txt"] = "text<!-- rendered at 12:30 -->"
	o := options()
	o.Normalize = []check.Rule{{Match: "**/*.html", Remove: []*regexp.Regexp{regexp.MustCompile(`<!-- rendered at .*? -->`)}}}
	o.Open = func(f site.File) ([]byte, error) { return []byte(release[f.Path]), nil }
	if got := drifts(run(t, o, w.start(t, "a"))); !slices.Equal(got, []string{"a altered plain.txt"}) {
		t.Errorf("got %q, want the page that no rule covers", got)
	}
	o.Open = nil
	if got := drifts(run(t, o, w.start(t, "b"))); !slices.Equal(got, []string{"b altered plain.txt", "b unreachable about/index.html"}) {
		t.Errorf("without the release's bytes: got %q", got)
	}
	if got := drifts(run(t, o, w.start(t, "b"), newWorld().start(t, "c"))); !slices.Equal(got, []string{"b altered plain.txt"}) {
		t.Errorf("with the release's bytes on another origin: got %q", got)
	}
}
