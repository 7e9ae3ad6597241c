package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/static"
	"mirror/internal/workspace"
	"mirror/site"
)

// truthSite is the site of the truth table, in its older release and the one that is live.
func truthSite() (older, now map[string]string) {
	older = map[string]string{
		"index.html": "<p>home", "404.html": "<p>no such page", "css/site.css": "a{}", "removed.html": "<p>removed",
		"doc/index.html": "<p>doc, first edition", "文章/50% + #?.html": "<p>odd, first edition",
	}
	now = maps.Clone(older)
	now["doc/index.html"], now["文章/50% + #?.html"], now["new.html"] = "<p>doc, second edition", "<p>odd, second edition", "<p>new"
	delete(now, "removed.html")
	return older, now
}

// bench is the lab's three origins, and one of a folder behind a server of its own, all
// holding the site.
type truthBench struct {
	*trial
	older, now map[string]string
	places     []truthPlace
}

// truthPlace is one origin that can be made to answer otherwise.
type truthPlace struct {
	name     string
	override func(path string, h http.Handler)
	// edit changes what is stored: nil deletes.
	edit func(ctx context.Context, files map[string][]byte) error
}

func newTruthBench(t *testing.T) *truthBench {
	t.Helper()
	b := &truthBench{trial: newTrial(t)}
	b.older, b.now = truthSite()
	folder, override := servedFolder(t)
	b.configure("check:\n", fmt.Sprintf("  - name: dir\n    type: dir\n    path: %q\n    origin: {url: %q}\ncheck:\n  concurrency: 2\n  timeout: 1m\n  headers: [cache-control]\n", folder.path, folder.url))
	b.write(b.older)
	b.publish(publish.Parallel)
	b.write(b.now)
	b.publish(publish.Parallel)
	b.places = []truthPlace{
		{"git", b.lab.Git.Override, b.lab.Git.Edit},
		{"s3", b.lab.S3.Override, b.lab.S3.Edit},
		{"registry", b.lab.Registry.Override, b.lab.Registry.Edit},
		{"dir", override, folder.edit},
	}
	return b
}

// folder is the place of a dir target.
type folder struct{ path, url string }

// edit changes the release that is live in the folder.
func (f folder) edit(_ context.Context, files map[string][]byte) error {
	for path, text := range files {
		file := filepath.Join(f.path, "current", filepath.FromSlash(path))
		if text == nil {
			if err := os.Remove(file); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// servedFolder serves what a dir target holds, and what is put over it.
func servedFolder(t *testing.T) (folder, func(path string, h http.Handler)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "www")
	live := filepath.Join(path, "current")
	var over sync.Map
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := over.Load(r.URL.Path); ok {
			h.(http.Handler).ServeHTTP(w, r)
			return
		}
		static.New(os.DirFS(live), static.Options{ContentType: site.ContentType}).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return folder{path, s.URL + "/"}, func(path string, h http.Handler) {
		if h == nil {
			over.Delete(path)
			return
		}
		over.Store(path, h)
	}
}

// page serves a text as the page at path, after what change does to its headers.
func (b *truthBench) page(path, text string, change func(h http.Header)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", site.ContentType(path, []byte(text)))
		if change != nil {
			change(w.Header())
		}
		_, _ = io.WriteString(w, text)
	})
}

// look checks as `mirror check` does.
func (b *truthBench) look(o workspace.CheckOptions) (v diff.Verdict) {
	b.t.Helper()
	o.Tolerance.Since = -1
	err := b.app.inWorkspace(func(w *workspace.Workspace) (err error) {
		v, err = w.CheckUnrecorded(b.t.Context(), o)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// drift is one difference, found or injected.
type drift struct {
	origin, path string
	kind         diff.Kind
}

// String names the drift.
func (d drift) String() string { return fmt.Sprintf("%s %s on %s", d.kind, d.path, d.origin) }

func found(v diff.Verdict) (all []drift) {
	for _, o := range v.Origins {
		for _, d := range o.Differences {
			all = append(all, drift{d.Origin, d.Path, d.Kind})
		}
	}
	return all
}

// cut ends an answer before it began.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// wrong is one way in which an origin goes wrong, and the page that it is shown on.
type wrong struct {
	kind diff.Kind
	path string
	edit []byte // what is stored in its place; nil where it is answered in its place
	gone bool
	over func(b *truthBench, path string) http.Handler
}

func wrongs() []wrong {
	older, now := truthSite()
	status := func(code int) func(*truthBench, string) http.Handler {
		return func(*truthBench, string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		}
	}
	typed := func(b *truthBench, path string) http.Handler {
		return b.page(path, now[path], func(h http.Header) { h.Set("Content-Type", "text/plain") })
	}
	cached := func(b *truthBench, path string) http.Handler {
		return b.page(path, now[path], func(h http.Header) { h.Set("Cache-Control", "max-age=31536000") })
	}
	away := func(*truthBench, string) http.Handler {
		return http.RedirectHandler("https://parked.example/", http.StatusMovedPermanently)
	}
	return []wrong{
		{kind: diff.Missing, path: "new.html", gone: true},
		{kind: diff.Missing, path: "css/site.css", over: status(http.StatusGone)},
		{kind: diff.Stale, path: "doc/index.html", edit: []byte(older["doc/index.html"])},
		{kind: diff.Stale, path: "文章/50% + #?.html", edit: []byte(older["文章/50% + #?.html"])},
		{kind: diff.Extra, path: "removed.html", edit: []byte(older["removed.html"])},
		{kind: diff.Altered, path: "index.html", edit: []byte("<p>hacked")},
		{kind: diff.Altered, path: "css/site.css", over: func(b *truthBench, path string) http.Handler { return b.page(path, "", nil) }},
		{kind: diff.Redirected, path: "new.html", over: away},
		{kind: diff.Mistyped, path: "index.html", over: typed},
		{kind: diff.Headers, path: "doc/index.html", over: cached},
		{kind: diff.Unreachable, path: "css/site.css", over: status(http.StatusServiceUnavailable)},
		{kind: diff.Unreachable, path: "new.html", over: func(*truthBench, string) http.Handler { return http.HandlerFunc(cut) }},
	}
}

// TestTruthTable injects every kind of drift into every kind of target, where it is stored
// where it can be, and wants exactly that to be found.
func TestTruthTable(t *testing.T) {
	longtest.Skip(t, "injects each drift on each origin")
	t.Parallel()
	b := newTruthBench(t)
	if v := b.look(workspace.CheckOptions{}); !v.Agree() {
		t.Fatalf("before anything: got %v", found(v))
	}
	covered := map[diff.Kind]bool{}
	for _, place := range b.places {
		for _, x := range wrongs() {
			t.Run(fmt.Sprintf("%s/%s %s", place.name, x.kind, strings.ReplaceAll(x.path, "/", "-")), func(t *testing.T) {
				covered[x.kind] = true
				heal := b.inject(place, x)
				v := b.look(workspace.CheckOptions{})
				heal()
				if got, want := found(v), []drift{{place.name, x.path, x.kind}}; !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				if d := v.Origins[slices.IndexFunc(v.Origins, func(o diff.OriginVerdict) bool { return o.Name == place.name })].Differences; x.kind == diff.Stale && len(d) == 1 && d[0].Behind != 1 {
					t.Errorf("stale by %d releases, want 1", d[0].Behind)
				}
			})
		}
	}
	if v := b.look(workspace.CheckOptions{}); !v.Agree() || len(covered) != len(diff.Kinds()) {
		t.Errorf("at the end: %v, %d of %d kinds covered", found(v), len(covered), len(diff.Kinds()))
	}
}

// inject makes one place go wrong, and returns what mends it.
func (b *truthBench) inject(p truthPlace, x wrong) (heal func()) {
	b.t.Helper()
	url := "/" + strings.TrimSuffix(x.path, "index.html")
	if x.over != nil {
		p.override(url, x.over(b, x.path))
		return func() { p.override(url, nil) }
	}
	if x.gone {
		x.edit = nil
	}
	if err := p.edit(b.t.Context(), map[string][]byte{x.path: x.edit}); err != nil {
		b.t.Fatal(err)
	}
	return func() {
		right := []byte(b.now[x.path])
		if b.now[x.path] == "" {
			right = nil
		}
		if err := p.edit(b.t.Context(), map[string][]byte{x.path: right}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// harmless are ways to answer that must raise no alarm.
func harmless() []func(b *truthBench, path string) http.Handler {
	_, now := truthSite()
	once := func(spoil http.HandlerFunc) func(b *truthBench, path string) http.Handler {
		return func(b *truthBench, path string) http.Handler {
			var asked atomic.Int32
			right := b.page(path, now[path], nil)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) == 1 {
					spoil(w, r)
					return
				}
				right.ServeHTTP(w, r)
			})
		}
	}
	with := func(change func(path string, h http.Header)) func(b *truthBench, path string) http.Handler {
		return func(b *truthBench, path string) http.Handler {
			return b.page(path, now[path], func(h http.Header) { change(path, h) })
		}
	}
	return []func(b *truthBench, path string) http.Handler{
		once(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }),
		once(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "another edge, an older page") }),
		once(cut),
		with(func(path string, h http.Header) {
			if path == "css/site.css" {
				h.Set("Content-Type", "TEXT/CSS;charset=UTF-8")
			}
		}),
		with(func(_ string, h http.Header) {
			h.Set("Set-Cookie", "a=b")
			h.Set("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
		}),
		func(_ *truthBench, path string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", site.ContentType(path, nil))
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = io.WriteString(z, now[path])
				_ = z.Close()
			})
		},
	}
}

// TestRandomWorlds makes 1,000 worlds, fewer under the race detector, in which some origins are wrong at some pages and
// others only look odd, and wants each to be judged exactly.
func TestRandomWorlds(t *testing.T) {
	longtest.Skip(t, "checks many random worlds")
	t.Parallel()
	b := newTruthBench(t)
	b.configure("headers: [cache-control]", "headers: [content-type]")
	rng := rand.New(rand.NewPCG(11, 22))
	var ways []wrong
	for _, x := range wrongs() {
		if x.over != nil && x.kind != diff.Headers {
			ways = append(ways, x)
		}
	}
	paths := slices.Sorted(maps.Keys(b.now))
	paths = slices.DeleteFunc(paths, func(p string) bool { return p == "404.html" })
	worlds, calm := 1000, 0
	if raceDetector {
		worlds /= 4
	}
	for i := range worlds {
		want, clean := b.randomWorld(rng, ways, paths)
		v := b.look(workspace.CheckOptions{LiveOnly: true})
		clean()
		got := found(v)
		byText := func(a, b drift) int { return strings.Compare(a.String(), b.String()) }
		slices.SortFunc(got, byText)
		slices.SortFunc(want, byText)
		if !slices.Equal(got, want) || v.Agree() != (len(want) == 0) {
			t.Fatalf("world %d: got %v, want %v", i, got, want)
		}
		if len(want) == 0 {
			calm++
		}
	}
	if calm < worlds/10 || calm > worlds/2 {
		t.Errorf("%d of %d worlds were calm: this tests one side only", calm, worlds)
	}
}

func (b *truthBench) randomWorld(rng *rand.Rand, ways []wrong, paths []string) (want []drift, clean func()) {
	var mends []func()
	wrongAt := rng.IntN(4) // of twenty pages
	for _, place := range b.places {
		for _, path := range paths {
			url := "/" + strings.TrimSuffix(path, "index.html")
			switch n := rng.IntN(20); {
			case n < wrongAt:
				x := ways[rng.IntN(len(ways))]
				place.override(url, x.over(b, path))
				want = append(want, drift{place.name, path, x.kind})
			case n < 8:
				odd := harmless()
				place.override(url, odd[rng.IntN(len(odd))](b, path))
			default:
				continue
			}
			mends = append(mends, func() { place.override(url, nil) })
		}
	}
	return want, func() {
		for _, mend := range mends {
			mend()
		}
	}
}
