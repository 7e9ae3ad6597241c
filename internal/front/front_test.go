package front_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"mirror/internal/front"
	"mirror/internal/front/record"
	"mirror/internal/lab/edge"
	"mirror/internal/longtest"
	"mirror/internal/origin"
	"mirror/internal/static"
	"mirror/site"
	"mirror/targets/grace"
)

// patience is how long a test waits for what has to happen.
const patience = 2 * time.Minute

// world is a front over origins whose releases the test sets.
type world struct {
	t       testing.TB
	origins []*place
	trusted sync.Map // site.ID → site.Manifest
	front   *front.Front
	url     string
	options front.Options
	stop    func()
}

// place is an origin.
type place struct {
	server  *httptest.Server
	site    atomic.Pointer[http.Handler]
	fault   atomic.Pointer[http.Handler]
	asked   atomic.Int64
	release *site.Release
}

func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	if h := p.fault.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	(*p.site.Load()).ServeHTTP(w, r)
}

// breakBy has the origin answer by a fault; nil ends that.
func (p *place) breakBy(f edge.Fault) {
	if f == nil {
		p.fault.Store(nil)
		return
	}
	h := f(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*p.site.Load()).ServeHTTP(w, r) }))
	p.fault.Store(&h)
}

// release makes a release of files, with a sequence.
func release(t testing.TB, sequence int64, files map[string]string) *site.Release {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	rel, err := site.Scan(t.Context(), fsys, site.ScanOptions{BeaconPath: site.DefaultBeacon, Published: time.Unix(1_700_000_000+sequence, 0)})
	if err != nil {
		t.Fatal(err)
	}
	rel.Sequence = sequence
	return rel
}

// publish has an origin serve a release.
func (w *world) publish(rel *site.Release, to ...int) {
	w.t.Helper()
	w.trusted.Store(rel.ID(), rel.Manifest)
	fsys := fstest.MapFS{site.DefaultBeacon: &fstest.MapFile{Data: rel.Beacon()}}
	for _, f := range rel.Manifest {
		data, err := rel.ReadFile(f)
		if err != nil {
			w.t.Fatal(err)
		}
		fsys[f.Path] = &fstest.MapFile{Data: data}
	}
	h := static.New(fsys, static.Options{ContentType: site.ContentType})
	for _, i := range to {
		w.origins[i].site.Store(&h)
		w.origins[i].release = rel
	}
}

// newWorld starts n origins, which serve nothing yet.
func newWorld(t testing.TB, n int, o front.Options) *world {
	t.Helper()
	w := &world{t: t, options: o}
	for range n {
		p := &place{}
		empty := http.NotFoundHandler()
		p.site.Store(&empty)
		p.server = httptest.NewServer(p)
		t.Cleanup(p.server.Close)
		w.origins = append(w.origins, p)
	}
	if w.options.Dir == "" {
		w.options.Dir = t.TempDir()
	}
	if w.options.Trust == nil { // a test may take it away again
		w.options.Trust = func(_ context.Context, id site.ID) (site.Manifest, error) {
			if m, ok := w.trusted.Load(id); ok {
				return m.(site.Manifest), nil
			}
			return nil, errors.New("not published from here")
		}
	}
	if w.options.Beacon == "" {
		w.options.Beacon = site.DefaultBeacon
	}
	return w
}

// start runs the front; a second call restarts it.
func (w *world) start() {
	w.t.Helper()
	if w.stop != nil {
		w.stop()
	}
	w.options.Origins = nil
	for i, p := range w.origins {
		at, err := url.Parse(p.server.URL + "/")
		if err != nil {
			w.t.Fatal(err)
		}
		w.options.Origins = append(w.options.Origins, origin.Endpoint{
			Name: fmt.Sprintf("origin%d", i), URL: at, Options: origin.Options{Concurrency: 16, Timeout: 10 * time.Second},
		})
	}
	f, err := front.New(w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	w.front = f
	server := httptest.NewServer(f)
	w.url = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); f.Run(ctx) }()
	var once sync.Once
	w.stop = func() {
		once.Do(func() {
			cancel()
			<-ended
			server.Close()
			f.Close()
		})
	}
	w.t.Cleanup(w.stop)
}

// answer is what a visitor gets.
type answer struct {
	status int
	body   string
	header http.Header
}

// get asks as a visitor. headers are pairs of name and value.
func (w *world) get(path string, headers ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(body), resp.Header}
}

// await waits until a path answers with a body.
func (w *world) await(path, body string) {
	w.t.Helper()
	w.eventually(func() bool { return w.get(path).body == body }, func() string { return fmt.Sprintf("%s answers %+v", path, w.get(path)) })
}

func (w *world) eventually(ok func() bool, said func() string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("not within %s: %s", patience, said())
		}
		time.Sleep(time.Millisecond)
	}
}

func v1() map[string]string {
	return map[string]string{
		"index.html": "home 1", "about/index.html": "about 1", "gone.html": "gone 1", "404.html": "lost 1", "style.css": "body{}",
	}
}

func v2() map[string]string {
	return map[string]string{
		"index.html": "home 2", "about/index.html": "about 2", "404.html": "lost 2", "style.css": "body{}",
	}
}

// TestMovesWithTheQuorum publishes to one origin after another.
func TestMovesWithTheQuorum(t *testing.T) {
	w := newWorld(t, 3, front.Options{Quorum: 2})
	one, two := release(t, 1, v1()), release(t, 2, v2())
	w.publish(one, 0, 1, 2)
	w.start()
	w.await("/", "home 1")
	w.publish(two, 0)
	asked := w.origins[0].asked.Load()
	w.eventually(func() bool { return w.origins[0].asked.Load() > asked+20 }, func() string { return "the front does not look" })
	if got := w.get("/").body; got != "home 1" {
		t.Errorf("with one origin on the new release, below the quorum, visitors get %q", got)
	}
	w.publish(two, 1)
	w.await("/", "home 2")
	if got := w.get("/gone.html"); got.status != http.StatusNotFound || got.body != "lost 2" {
		t.Errorf("a page that the release lacks, and a stale origin has, answers %+v", got)
	}
	if got := w.get("/.well-known/mirror.json"); !strings.Contains(got.body, string(two.ID())) {
		t.Errorf("the front's beacon is %+v", got)
	}
}

// TestOnlyVerifiedBytesPass breaks one of two origins in each way.
func TestOnlyVerifiedBytesPass(t *testing.T) {
	parked := edge.Fault(func(http.Handler) http.Handler {
		return http.RedirectHandler("https://parked.example/", http.StatusMovedPermanently)
	})
	altered := edge.Fault(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", "text/html")
			h.Set("Set-Cookie", "stolen=1")
			_, _ = io.WriteString(w, "<script>evil()</script>")
		})
	})
	hostile := edge.Fault(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Refresh", "0; url=https://evil.example/")
			h.Set("Set-Cookie", "stolen=1")
			h.Set("Location", "https://evil.example/")
			next.ServeHTTP(w, r)
		})
	})
	refused := edge.Fault(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) })
	})
	for name, fault := range map[string]edge.Fault{
		"altered": altered, "parked": parked, "5xx": refused, "cut": edge.Reset, "garbage": edge.Garbage, "empty": edge.Empty,
		"not modified": edge.NotModified, "stalled": edge.Stall, "hanging": edge.Hang, "hostile headers": hostile,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2, front.Options{Quorum: 1})
			files := v1()
			for i := range 20 {
				files[fmt.Sprintf("p%d.html", i)] = fmt.Sprintf("page %d", i)
			}
			w.publish(release(t, 1, files), 0, 1)
			w.start()
			w.await("/", "home 1")
			w.origins[0].breakBy(fault)
			for i := range 20 {
				got := w.get(fmt.Sprintf("/p%d.html", i))
				if got.status != http.StatusOK || got.body != files[fmt.Sprintf("p%d.html", i)] {
					t.Fatalf("page %d answers %+v", i, got)
				}
				for _, field := range []string{"Set-Cookie", "Refresh", "Location"} {
					if got.header.Get(field) != "" {
						t.Errorf("the origin's %s is passed on: %+v", field, got.header)
					}
				}
				if kind := got.header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
					t.Errorf("the type is %q", kind)
				}
			}
		})
	}
}

// TestAllOriginsDown serves from the cache, after a restart too.
func TestAllOriginsDown(t *testing.T) {
	longtest.Skip(t, "waits for origins to be given up")
	w := newWorld(t, 2, front.Options{Quorum: 2, Disk: 1 << 30})
	files := v1()
	large := string(bytes.Repeat([]byte("large "), 100_000))
	files["large.bin"], files["never.bin"] = large, large+"!" // too large for a sample
	w.publish(release(t, 1, files), 0, 1)
	w.start()
	w.await("/", "home 1")
	if got := w.get("/large.bin"); got.body != large {
		t.Fatalf("a large file has %d bytes, want %d", len(got.body), len(large))
	}
	for _, p := range w.origins {
		p.server.Close() // a connection that was made a moment before does not stay open
	}
	w.eventually(func() bool { return w.get("/").header.Get(front.OriginsHeader) != "" }, func() string { return "answers from the cache are not marked" })
	for range 2 {
		if got := w.get("/"); got.status != http.StatusOK || got.body != "home 1" {
			t.Errorf("with all origins down the home page answers %+v", got)
		}
		if got := w.get("/large.bin", "Range", "bytes=6-10"); got.status != http.StatusPartialContent || got.body != "large" {
			t.Errorf("with all origins down a range answers %d %.40q", got.status, got.body)
		}
		w.start()
	}
	if got := w.get("/never.bin"); got.status != http.StatusBadGateway {
		t.Errorf("a page that nobody has answers %+v", got)
	}
}

// TestAssetsOfEarlierReleasesStay serves a hashed asset of the release before, verified like any other, and nothing
// else of it.
func TestAssetsOfEarlierReleasesStay(t *testing.T) {
	w := newWorld(t, 1, front.Options{Quorum: 1, Disk: 1 << 20, Grace: &grace.Policy{Releases: 1}})
	one, two := v1(), v2()
	one["app.0123456789abcdef.js"] = "app()"
	w.publish(release(t, 1, one), 0)
	w.start()
	w.await("/app.0123456789abcdef.js", "app()")
	w.publish(release(t, 2, two), 0)
	w.await("/", "home 2")
	for range 2 {
		if got := w.get("/app.0123456789abcdef.js"); got.status != http.StatusOK || got.body != "app()" || got.header.Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("an asset in grace answers %+v", got)
		}
		if got := w.get("/gone.html"); got.status != http.StatusNotFound {
			t.Errorf("a page of the release before answers %+v", got)
		}
		w.start() // it is remembered
	}
	two["index.html"] = "home 3"
	w.publish(release(t, 3, two), 0)
	w.await("/", "home 3")
	if got := w.get("/app.0123456789abcdef.js"); got.status != http.StatusNotFound {
		t.Errorf("an asset whose grace is over answers %+v", got)
	}
}

// TestARestartNeverGoesBack reads what a restart would serve in the moment in which a visitor gets a release.
func TestARestartNeverGoesBack(t *testing.T) {
	w := newWorld(t, 1, front.Options{Quorum: 1, Hurry: time.Millisecond, Poll: time.Millisecond})
	files := v1()
	for i := range 500 { // a record of some size
		files[fmt.Sprintf("p%d.html", i)] = "page"
	}
	w.publish(release(t, 1, files), 0)
	w.start()
	w.await("/", "home 1")
	for n := range int64(20) {
		files["index.html"] = fmt.Sprintf("home %d", n+2)
		rel := release(t, n+2, files)
		w.publish(rel, 0)
		w.await("/", files["index.html"])
		if r, err := record.Read(filepath.Join(w.options.Dir, "release")); err != nil || r.Release != rel.ID() {
			t.Fatalf("visitors get release %s, and a restart would serve %s (%v)", rel.ID().Short(), r.Release.Short(), err)
		}
	}
}

// TestManifestOfAnotherFront has a front that knows nothing but addresses take the manifest from one that
// publishes it. What one origin claims alone, and manifests that do not fit, prove nothing.
func TestManifestOfAnotherFront(t *testing.T) {
	w := newWorld(t, 3, front.Options{Quorum: 2, PublishManifest: true})
	one, two := release(t, 1, v1()), release(t, 2, v2())
	w.publish(one, 0, 1, 2)
	w.start()
	w.await("/", "home 1")
	if got := w.get("/.well-known/mirror/" + string(one.ID()) + ".sums"); sha256.Sum256([]byte(got.body)) != sha256.Sum256([]byte(manifestText(t, one))) {
		t.Fatalf("the manifest is %+v", got)
	}
	if got := w.get("/.well-known/mirror/" + string(two.ID()) + ".sums"); got.status != http.StatusNotFound {
		t.Errorf("the manifest of a release that is not known answers %+v", got)
	}
	at, err := url.Parse(w.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	other := newWorld(t, 0, front.Options{Quorum: 2})
	other.origins = w.origins
	other.options.Trust = nil
	other.options.Fronts = []origin.Endpoint{{Name: "first", URL: at, Options: origin.Options{Concurrency: 4, Timeout: 10 * time.Second}}}
	other.start()
	other.await("/", "home 1")
	forged := release(t, 9, map[string]string{"index.html": "forged"})
	w.publish(forged, 0)
	w.trusted.Delete(forged.ID())
	w.publish(two, 1, 2)
	other.await("/", "home 2")
}

func manifestText(t *testing.T, rel *site.Release) string {
	t.Helper()
	var text bytes.Buffer
	if _, err := rel.Manifest.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestAVisitorOfTwoFronts comes with the cookie of a front that has moved already.
func TestAVisitorOfTwoFronts(t *testing.T) {
	w := newWorld(t, 1, front.Options{Quorum: 1, Cookie: true, Disk: 1 << 20, Poll: time.Hour, Hurry: time.Millisecond})
	w.publish(release(t, 1, v1()), 0)
	w.start()
	w.await("/", "home 1")
	if got := w.get("/").header.Get("Set-Cookie"); !strings.HasPrefix(got, "mirror_release=1;") {
		t.Errorf("the cookie is %q", got)
	}
	if got := w.get("/", "Cookie", "mirror_release=1").header.Get("Set-Cookie"); got != "" {
		t.Errorf("a browser that has the cookie gets %q", got)
	}
	if got := w.get("/style.css").header.Get("Set-Cookie"); got != "" {
		t.Errorf("an asset comes with %q", got)
	}
	for _, forged := range []string{"9999999999999999", "-1", "x", ""} {
		if got := w.get("/", "Cookie", "mirror_release="+forged); got.body != "home 1" {
			t.Errorf("with the cookie %q the answer is %+v", forged, got)
		}
	}
	w.start() // at rest, it looks once an hour
	w.eventually(func() bool { return w.front.Status().Origins[0].Current }, func() string { return "the front has not looked" })
	w.publish(release(t, 2, v2()), 0)
	if got := w.get("/"); got.body != "home 1" {
		t.Errorf("without a cookie the front looks early: %+v", got)
	}
	w.eventually(func() bool { return w.get("/", "Cookie", "mirror_release=2").body == "home 2" }, func() string { return "the front does not catch up" })
}

// TestCompressedFiles serves the compressed files of a release to those who accept them, and a compressed
// file as it is, also where an origin sends it as if it were an encoded page.
func TestCompressedFiles(t *testing.T) {
	w := newWorld(t, 1, front.Options{Quorum: 1, Memory: 1})
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte("body{}")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	files := v1()
	files["style.css.gz"], files["style.css.br"], files["archive.gz"] = zipped.String(), "brotli", zipped.String()
	w.publish(release(t, 1, files), 0)
	w.start()
	w.await("/", "home 1")
	w.origins[0].breakBy(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".gz") {
				w.Header().Set("Content-Encoding", "gzip")
			}
			next.ServeHTTP(w, r)
		})
	})
	for _, c := range []struct{ path, accept, coding, kind, body string }{
		{"/style.css", "identity", "", "text/css; charset=utf-8", "body{}"},
		{"/style.css", "gzip, deflate", "gzip", "text/css; charset=utf-8", zipped.String()},
		{"/style.css", "gzip, deflate, br", "br", "text/css; charset=utf-8", "brotli"},
		{"/style.css", "br;q=0, gzip;q=0.5", "gzip", "text/css; charset=utf-8", zipped.String()},
		{"/style.css", "*", "", "text/css; charset=utf-8", "body{}"},
		{"/archive.gz", "gzip", "", "application/gzip", zipped.String()},
		{"/style.css.gz", "gzip", "", "application/gzip", zipped.String()},
		{"/about/", "gzip", "", "text/html; charset=utf-8", "about 1"},
	} {
		got := w.get(c.path, "Accept-Encoding", c.accept)
		if got.status != http.StatusOK || got.body != c.body || got.header.Get("Content-Encoding") != c.coding || got.header.Get("Content-Type") != c.kind {
			t.Errorf("%s for %q answers %+v", c.path, c.accept, got)
		}
		if vary := got.header.Get("Vary"); (vary != "") != (c.path == "/style.css") {
			t.Errorf("%s has Vary: %q", c.path, vary)
		}
	}
}

// TestFilesTooLargeToVerifyFirst are sent while they are compared where a browser does not run them, and cut
// at a mismatch before the visitor has all of them.
func TestFilesTooLargeToVerifyFirst(t *testing.T) {
	w := newWorld(t, 1, front.Options{Quorum: 1, MaxVerified: 300 << 10})
	files := v1()
	video := string(bytes.Repeat([]byte("frame "), 200_000))
	files["talk.mp4"], files["huge.html"] = video, "<!doctype html>"+video
	w.publish(release(t, 1, files), 0)
	w.start()
	w.await("/", "home 1")
	if got := w.get("/talk.mp4", "Range", "bytes=0-1"); got.status != http.StatusOK || got.body != video || got.header.Get("Accept-Ranges") != "none" {
		t.Errorf("a video answers %d, %d bytes, %v", got.status, len(got.body), got.header)
	}
	if got := w.get("/huge.html"); got.status != http.StatusBadGateway {
		t.Errorf("a page that is too large answers %d", got.status)
	}
	w.origins[0].breakBy(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, video[:len(video)-1]+"!")
		})
	})
	resp, err := http.Get(w.url + "/talk.mp4")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err == nil || len(body) >= len(video) {
		t.Errorf("an altered video answers %d bytes of %d, %v", len(body), len(video), err)
	}
	if s := w.front.Status(); s.Streams != 2 || s.Cuts != 1 {
		t.Errorf("counted are %d streams and %d cuts", s.Streams, s.Cuts)
	}
}

// TestAnOriginThatClaimsOtherReleasesAllTheTime cannot have manifests looked up all the time, nor make the front
// forget what it serves.
func TestAnOriginThatClaimsOtherReleasesAllTheTime(t *testing.T) {
	var forged, claims atomic.Int64
	w := newWorld(t, 2, front.Options{Quorum: 1, Poll: time.Millisecond, Hurry: time.Millisecond})
	proved := w.options.Trust
	w.options.Trust = func(ctx context.Context, id site.ID) (site.Manifest, error) {
		m, err := proved(ctx, id)
		if err != nil {
			forged.Add(1)
		}
		return m, err
	}
	w.publish(release(t, 100, v1()), 0, 1)
	w.start()
	w.await("/", "home 1")
	begun := time.Now()
	var old []*site.Release
	for i := range 20 {
		rel := release(t, int64(i), map[string]string{"index.html": fmt.Sprintf("old %d", i)})
		w.trusted.Store(rel.ID(), rel.Manifest)
		old = append(old, rel)
	}
	w.origins[0].breakBy(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n := claims.Add(1)
			if n%2 == 0 {
				_, _ = w.Write(old[int(n/2)%len(old)].Beacon())
				return
			}
			_, _ = fmt.Fprintf(w, `{"release":"%064x","sequence":%d}`, n, n+1000)
		})
	})
	w.eventually(func() bool { return claims.Load() > 500 }, func() string { return "the front does not look" })
	if got := w.get("/"); got.body != "home 1" {
		t.Errorf("a visitor gets %+v", got)
	}
	if n, most := forged.Load(), int64(time.Since(begun)/time.Second)+2; n > most {
		t.Errorf("%d lookups of releases that do not exist in %s", n, time.Since(begun))
	}
}

// TestBackWhenAllHoldersAreGone has both origins serve the release before for good, without a rollback.
func TestBackWhenAllHoldersAreGone(t *testing.T) {
	w := newWorld(t, 2, front.Options{Quorum: 2, Gone: 50 * time.Millisecond})
	one, two := release(t, 1, v1()), release(t, 2, v2())
	w.publish(two, 0, 1)
	w.start()
	w.await("/", "home 2")
	w.publish(one, 0, 1)
	w.await("/", "home 1")
	w.publish(two, 0, 1)
	w.await("/", "home 2")
}

// TestRollback has the release before go live again, with a later place in the order.
func TestRollback(t *testing.T) {
	w := newWorld(t, 2, front.Options{Quorum: 2, Gone: time.Hour})
	one, two := release(t, 1, v1()), release(t, 2, v2())
	w.publish(one, 0, 1)
	w.start()
	w.await("/", "home 1")
	w.publish(two, 0, 1)
	w.await("/", "home 2")
	again := release(t, 3, v1())
	again.Rollback = true
	w.publish(again, 0, 1)
	w.await("/", "home 1")
	if got := w.get("/.well-known/mirror.json"); !strings.Contains(got.body, `"rollback":true`) || !strings.Contains(got.body, `"sequence":3`) {
		t.Errorf("the beacon is %s", got.body)
	}
}
