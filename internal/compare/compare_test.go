package compare_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/compare"
	"mirror/internal/longtest"
	"mirror/internal/origin"
	"mirror/site"
)

// world is a live origin of a test. OWN in a text is its own base URL.
type world struct {
	mu       sync.Mutex
	own      string
	pages    map[string]string
	spoil    map[string]http.HandlerFunc // by path
	every    http.HandlerFunc            // in place of all, if set
	notFound string
	absent   int // status for what is not there, 404 where it is 0
	requests atomic.Int64
}

// paths are the pages of a new world.
var paths = []string{"", "about/", "css/site.css", "feed.xml", "文章/50% + #?.html", "plain.txt"}

func newWorld() *world {
	w := &world{pages: map[string]string{}, spoil: map[string]http.HandlerFunc{}, notFound: "no such page"}
	for _, p := range paths {
		w.pages[p] = "the text of " + p
	}
	return w
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.requests.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/")
	text, ok := w.pages[path]
	switch spoil := w.spoil[path]; {
	case w.every != nil:
		w.every(rw, r)
	case spoil != nil:
		spoil(rw, r)
	case ok:
		rw.Header().Set("Content-Type", cmpOr(site.ContentType(path, nil), "application/octet-stream", "text/html"))
		io.WriteString(rw, strings.ReplaceAll(text, "OWN", w.own))
	default:
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(cmp.Or(w.absent, http.StatusNotFound))
		io.WriteString(rw, w.notFound)
	}
}

func cmpOr(got, unless, other string) string {
	if got == unless {
		return other
	}
	return got
}

// start serves the world until the test ends.
func (w *world) start(t testing.TB, name string) origin.Endpoint {
	t.Helper()
	s := httptest.NewServer(w)
	s.Config.ErrorLog = nil
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	u, err := url.Parse(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	w.own = s.URL
	return origin.Endpoint{
		Name: name, URL: u, Style: site.URLStyle{NoIndex: true},
		Options: origin.Options{Concurrency: 4, Timeout: time.Minute, Confirm: 1},
	}
}

// change changes a world that is served.
func (w *world) change(how func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	how()
}

// worlds are a few, called a, b and so on.
func worlds(n int) (all []*world) {
	for range n {
		all = append(all, newWorld())
	}
	return all
}

func run(t testing.TB, o compare.Options, all ...*world) diff.Verdict {
	t.Helper()
	var origins []origin.Endpoint
	for i, w := range all {
		origins = append(origins, w.start(t, string(rune('a'+i))))
	}
	v, err := compare.Run(t.Context(), origins, paths, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func drifts(v diff.Verdict) string {
	var all []string
	for _, o := range v.Origins {
		for _, d := range o.Differences {
			all = append(all, fmt.Sprintf("%s %s %s", d.Origin, d.Kind, d.Path))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

var usual = compare.Options{IgnoreHost: true}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", code) }
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusMovedPermanently) }
}

// with serves a page with one header more.
func with(name, value, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set(name, value)
		io.WriteString(w, text)
	}
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(all []*world)
		want  string
	}{
		{"nothing", func([]*world) {}, ""},
		{"altered", func(all []*world) { all[1].pages["about/"] = "other" }, "b altered about/"},
		{"missing", func(all []*world) { delete(all[2].pages, "plain.txt") }, "c missing plain.txt"},
		{"extra", func(all []*world) { delete(all[0].pages, "plain.txt"); delete(all[2].pages, "plain.txt") }, "b extra plain.txt"},
		{"mistyped", func(all []*world) {
			all[0].spoil["about/"] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/octet-stream")
				io.WriteString(w, all[0].pages["about/"])
			}
		}, "a mistyped about/"},
		{"redirected", func(all []*world) { all[0].spoil["about/"] = redirect("https://parked.example/") }, "a redirected about/"},
		{"redirects that say the same", func(all []*world) {
			all[0].spoil["about/"], all[1].spoil["about/"], all[2].spoil["about/"] = redirect("/x/"), redirect("../x/"), redirect(all[2].own+"/x/")
		}, ""},
		{"unreachable", func(all []*world) { all[1].spoil["feed.xml"] = status(503) }, "b unreachable feed.xml"},
		{"the same error everywhere", func(all []*world) {
			for _, w := range all {
				w.spoil["feed.xml"] = status(500)
			}
		}, "a unreachable feed.xml, b unreachable feed.xml, c unreachable feed.xml"},
		{"soft 404", func(all []*world) {
			served := all[1]
			served.every = func(w http.ResponseWriter, r *http.Request) {
				if text, ok := served.pages[strings.TrimPrefix(r.URL.Path, "/")]; ok {
					w.Header().Set("Content-Type", cmpOr(site.ContentType(r.URL.Path, nil), "application/octet-stream", "text/html"))
					io.WriteString(w, text)
					return
				}
				io.WriteString(w, "<html>Sorry")
			}
		}, "b altered not-found"},
		{"another not-found page", func(all []*world) { all[2].notFound = "another" }, "c altered not-found"},
		{"parked", func(all []*world) {
			all[1].every = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>This domain is for sale") }
		}, "b altered *"},
		{"two parked alike, that do not outvote one", func(all []*world) {
			for _, w := range all[:2] {
				w.every = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>This domain is for sale") }
			}
		}, "a altered *, b altered *"},
		{"shut down by redirect", func(all []*world) { all[2].every = redirect("https://host.example/shutdown") }, "c redirected *"},
		{"empty", func(all []*world) { all[2].pages = nil }, "c missing *"},
		{"stored and not shown", func(all []*world) {
			all[1].spoil["about/"] = with("Content-Disposition", "attachment", all[1].pages["about/"])
		}, "b mistyped about/"},
		{"led on by a header", func(all []*world) {
			all[1].spoil["about/"] = with("Refresh", "0; url=https://parked.example/", all[1].pages["about/"])
		}, "b redirected about/"},
		{"headers that lead to the same place", func(all []*world) {
			for i, to := range []string{"5;URL='/x/'", "0, ../x/", "1.5; url = " + all[2].own + "/x/"} {
				all[i].spoil["about/"] = with("Refresh", to, all[i].pages["about/"])
			}
		}, ""},
		{"headers that lead nowhere else", func(all []*world) {
			all[0].spoil["about/"] = with("Refresh", "30", all[0].pages["about/"])
			all[1].spoil["about/"] = with("Refresh", "30; url=/about/", all[1].pages["about/"])
		}, ""},
		{"down", func(all []*world) { all[2].every = status(502) }, "c unreachable *"},
		{"all shut down alike", func(all []*world) {
			for _, w := range all {
				w.every = redirect("https://host.example/shutdown")
			}
		}, "a redirected *, b redirected *, c redirected *"},
	} {
		all := worlds(3)
		var origins []origin.Endpoint
		for i, w := range all {
			origins = append(origins, w.start(t, string(rune('a'+i))))
		}
		c.spoil(all)
		v, err := compare.Run(t.Context(), origins, paths, usual)
		if got := drifts(v); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
		for _, o := range v.Origins {
			if n := len(o.Differences); n == 1 && o.Differences[0].Path == "*" && o.Summary().Counts[o.Differences[0].Kind] != o.Pages {
				t.Errorf("%s: %s counts %v of its %d pages", c.name, o.Name, o.Summary().Counts, o.Pages)
			}
		}
		if v.Agree() != (c.want == "") {
			t.Errorf("%s: agree is %v", c.name, v.Agree())
		}
	}
}

func TestRunSaysThatATieIsOne(t *testing.T) {
	all := worlds(2)
	all[1].pages["about/"] = "other"
	v := run(t, usual, all...)
	if got := drifts(v); got != "a altered about/, b altered about/" || !v.Drifted() {
		t.Fatalf("got %q", got)
	}
	a, b := v.Origins[0].Differences[0], v.Origins[1].Differences[0]
	if !strings.HasPrefix(a.Detail, "tie: differs from b") || !strings.HasPrefix(b.Detail, "tie: differs from a") || !a.Want.IsZero() {
		t.Errorf("got %+v and %+v", a, b)
	}
	if !strings.Contains(strings.Join(v.Notes, "\n"), "1 page (/about/): a tie") {
		t.Errorf("got notes %q", v.Notes)
	}
}

// TestRunFollowsWithinAnOrigin has a sitemap name folders without their slash, as many do: the
// pages behind the redirects that all origins agree on are what counts.
func TestRunFollowsWithinAnOrigin(t *testing.T) {
	all := worlds(3)
	for _, w := range all {
		w.spoil["plain.txt"], w.spoil["docs"] = redirect("/docs"), redirect("docs/")
		w.pages["docs/"] = "the page behind"
		w.spoil["about/"] = redirect("/about/") // which leads nowhere
	}
	if v := run(t, usual, all...); drifts(v) != "" || v.Pages != len(paths)+2 {
		t.Errorf("got %q of %d pages", drifts(v), v.Pages)
	}
	all[1].change(func() { all[1].pages["docs/"] = "hacked" })
	if v := run(t, usual, all...); drifts(v) != "b altered docs/" {
		t.Errorf("got %q", drifts(v))
	}
}

func TestRunNotesWhatIsNowhere(t *testing.T) {
	all := worlds(2)
	for _, w := range all {
		delete(w.pages, "feed.xml")
		w.spoil["plain.txt"] = redirect("https://chat.example/")
	}
	v := run(t, usual, all...)
	notes := strings.Join(v.Notes, "\n")
	if !v.Agree() || !strings.Contains(notes, "(/feed.xml): listed or linked, and not there") || !strings.Contains(notes, "(/plain.txt): every origin leads to the same place") {
		t.Errorf("got %q, %q", drifts(v), v.Notes)
	}
}

// TestRunIgnoresHosts has each mirror name its own host, as canonical links do.
func TestRunIgnoresHosts(t *testing.T) {
	all := worlds(3)
	for _, w := range all {
		w.pages["about/"] = `<link rel=canonical href="OWN/about/"><a href="OWN">`
		w.pages["feed.xml"] = `<id>OWN/</id>`
		w.notFound = "gone"
	}
	v := run(t, usual, all...)
	if !v.Agree() {
		t.Fatalf("got %q", drifts(v))
	}
	for _, o := range v.Origins {
		if o.Facts.Hosts != 3 || o.Match != len(paths) {
			t.Errorf("got %+v", o)
		}
	}
	if !strings.Contains(strings.Join(v.Notes, "\n"), "3 on a, 3 on b, 3 on c") {
		t.Errorf("got notes %q", v.Notes)
	}
	if v := run(t, compare.Options{}, all...); strings.Count(drifts(v), "altered") != 6 {
		t.Errorf("with hosts compared: got %q", drifts(v))
	}
	all[2].change(func() { all[2].pages["about/"] += "!" })
	if v := run(t, usual, all...); drifts(v) != "c altered about/" {
		t.Errorf("got %q", drifts(v))
	}
	for _, w := range all {
		w.pages["about/"] = `<link rel=canonical href="https://main.example/about/">`
	}
	if v := run(t, usual, all...); !v.Agree() || strings.Contains(strings.Join(v.Notes, ""), "/about/") {
		t.Errorf("one main host: got %q, %q", drifts(v), v.Notes)
	}
}

func counter() http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<p>read %d times", n.Add(1))
	}
}

func TestRunTellsNoise(t *testing.T) {
	noisy := func() []*world {
		all := worlds(3)
		all[1].spoil["about/"] = counter()
		return all
	}
	v := run(t, usual, noisy()...)
	if d := v.Origins[1].Differences; drifts(v) != "b altered about/" || !strings.Contains(d[0].Detail, "--learn") {
		t.Errorf("got %q", drifts(v))
	}
	v = run(t, compare.Options{IgnoreHost: true, Learn: true}, noisy()...)
	if !v.Agree() || !slices.Equal(v.Origins[1].Noise, []string{"about/"}) || v.Origins[1].Match != len(paths)-1 {
		t.Errorf("got %q, noise %q", drifts(v), v.Origins[1].Noise)
	}
	all := noisy()
	all[0].spoil["about/"], all[2].spoil["about/"] = all[1].spoil["about/"], all[1].spoil["about/"]
	v = run(t, compare.Options{IgnoreHost: true, Learn: true}, all...)
	if !v.Agree() || len(v.Origins[2].Noise) != 1 || strings.Contains(strings.Join(v.Notes, ""), "only one origin") {
		t.Errorf("noise everywhere: got %q, notes %q", drifts(v), v.Notes)
	}
}

// TestRunConfirms has pages that are wrong once only.
func TestRunConfirms(t *testing.T) {
	longtest.Skip(t, "waits between its looks")
	for _, wrong := range []http.HandlerFunc{status(503), status(404), func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "half a deploy") }} {
		all := worlds(3)
		var once atomic.Bool
		w := all[1]
		w.spoil["feed.xml"] = func(rw http.ResponseWriter, r *http.Request) {
			if once.CompareAndSwap(false, true) {
				wrong(rw, r)
				return
			}
			rw.Header().Set("Content-Type", "application/xml")
			io.WriteString(rw, w.pages["feed.xml"])
		}
		if v := run(t, usual, all...); !v.Agree() || !once.Load() || v.Origins[1].Recovered != 1 || v.Origins[0].Recovered != 0 {
			t.Errorf("got %q, recovered %d", drifts(v), v.Origins[1].Recovered)
		}
	}
}

func TestRunSaysThatAnOriginIsDead(t *testing.T) {
	all := worlds(3)
	all[1].every = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	v := run(t, usual, all...)
	if b := v.Origins[1]; b.State() != diff.CannotBeSeen || b.Err == nil || len(b.Differences) > 0 || v.Agree() || v.Drifted() {
		t.Errorf("got %+v", b)
	}
	if v.Origins[0].Match != len(paths) {
		t.Errorf("the others were not compared: got %+v", v.Origins[0])
	}
	all[2].change(func() { all[2].every = all[1].every })
	v = run(t, usual, all...)
	if v.Agree() || v.Drifted() || v.Origins[0].Match != 0 || !strings.Contains(strings.Join(v.Notes, ""), "compared with nothing") {
		t.Errorf("alone: got %+v, %q", v.Origins[0], v.Notes)
	}
}

// TestRunGivesUpOnASilentOrigin bounds what a hung origin with many pages costs.
func TestRunGivesUpOnASilentOrigin(t *testing.T) {
	hung := newWorld()
	hung.every = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("%04d.html", i))
	}
	origins := []origin.Endpoint{newWorld().start(t, "a"), hung.start(t, "b")}
	v, err := compare.Run(t.Context(), origins, many, usual)
	if err != nil || v.Origins[1].Err == nil || hung.requests.Load() > 50 {
		t.Errorf("%d requests: got %v, %v", hung.requests.Load(), v.Origins[1].Err, err)
	}
}

func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := compare.Run(ctx, []origin.Endpoint{newWorld().start(t, "a"), newWorld().start(t, "b")}, paths, usual); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// spoils are the ways in which the random worlds go wrong, and the drift that each is where
// the others are right.
var spoils = []struct {
	kind  diff.Kind
	spoil func(w *world, path string)
}{
	{diff.Missing, func(w *world, path string) { delete(w.pages, path) }},
	{diff.Missing, func(w *world, path string) { w.spoil[path] = status(410) }},
	{diff.Unreachable, func(w *world, path string) {
		w.spoil[path] = status(403)
		if path == "" { // where 403 is how servers refuse to list the folder
			w.spoil[path] = status(500)
		}
	}},
	{diff.Altered, func(w *world, path string) { w.pages[path] += "!" }},
	{diff.Altered, func(w *world, path string) { w.pages[path] = "" }},
	{diff.Altered, func(w *world, path string) { w.pages[path] = strings.Repeat("long ", 1<<19) }},
	{diff.Altered, func(w *world, path string) { w.spoil[path] = counter() }},
	{diff.Redirected, func(w *world, path string) { w.spoil[path] = redirect("https://parked.example/") }},
	{diff.Redirected, func(w *world, path string) { w.spoil[path] = redirect("/elsewhere") }},
	{diff.Unreachable, func(w *world, path string) { w.spoil[path] = status(503) }},
	{diff.Unreachable, func(w *world, path string) {
		w.spoil[path] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	}},
}

// TestRunFindsExactlyWhatIsWrong spoils pages at random in sets of three origins, each
// page at one origin at most, so that the other two are the majority. With MIRROR_EXPERIMENT=full there are 300 sets.
func TestRunFindsExactlyWhatIsWrong(t *testing.T) {
	rng, sets := rand.New(rand.NewPCG(1, 2)), 100
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		sets = 300
	}
	for range sets {
		all := worlds(3)
		var want []string
		for _, w := range all {
			w.pages["about/"] = `<link rel=canonical href="OWN/about/">` // differs legitimately
		}
		for _, path := range paths {
			if rng.IntN(3) > 0 {
				continue
			}
			i, s := rng.IntN(3), spoils[rng.IntN(len(spoils))]
			s.spoil(all[i], path)
			want = append(want, fmt.Sprintf("%s %s %s", string(rune('a'+i)), s.kind, path))
		}
		slices.Sort(want)
		if got := drifts(run(t, usual, all...)); got != strings.Join(want, ", ") {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}
