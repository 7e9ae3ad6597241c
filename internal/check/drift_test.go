package check_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/site"
)

func (f files) past(age time.Duration) site.Past {
	m := f.manifest()
	return site.Past{Release: m.ID(), Published: time.Now().Add(-age), Manifest: m}
}

// with returns the files with some of them otherwise; "" takes one away.
func (f files) with(changes ...string) files {
	g := maps.Clone(f)
	for i := 0; i < len(changes); i += 2 {
		if g[changes[i]] = changes[i+1]; changes[i+1] == "" {
			delete(g, changes[i])
		}
	}
	return g
}

func differenceAt(t *testing.T, v diff.Verdict, origin, path string) diff.Difference {
	t.Helper()
	for _, o := range v.Origins {
		for _, d := range o.Differences {
			if d.Origin == origin && d.Path == path {
				return d
			}
		}
	}
	t.Fatalf("no difference of %s at %s in %q", origin, path, drifts(v))
	return diff.Difference{}
}

// TestRunNamesReleases has one origin serve a bit of every release, and asks the second
// source only for what the first does not know.
func TestRunNamesReleases(t *testing.T) {
	before := release.with("plain.txt", "older text", "gone.html", "gone")
	oldest := before.with("about/index.html", "oldest about")
	w := newWorld()
	w.holds["plain.txt"], w.holds["about/index.html"], w.holds["gone.html"], w.holds["css/site.css"] = "older text", "oldest about", "gone", "b{}"
	o := options()
	o.Absent = append(o.Absent, "gone.html")
	var second []string
	o.Past = []check.PastFunc{
		func(_ context.Context, of []string) []site.Past {
			return []site.Past{release.past(0), before.past(time.Hour)}
		},
		func(_ context.Context, of []string) []site.Past {
			second = of
			return []site.Past{oldest.past(2 * time.Hour)}
		},
	}
	v := run(t, o, w.start(t, "a"), newWorld().start(t, "b"))
	want := []string{"a altered css/site.css", "a extra gone.html", "a stale about/index.html", "a stale plain.txt"}
	if got := drifts(v); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for path, behind := range map[string]int{"plain.txt": 1, "about/index.html": 2, "gone.html": 1} {
		if d := differenceAt(t, v, "a", path); d.Behind != behind || d.Release == "" || d.Published.IsZero() {
			t.Errorf("%s: got release %s, %d behind, of %s", path, d.Release.Short(), d.Behind, d.Published)
		}
	}
	if !slices.Equal(second, []string{"about/index.html", "css/site.css"}) {
		t.Errorf("the second source was asked for %q", second)
	}
}

// TestRunStartsOverWithANewerRelease publishes while a check is on its way.
func TestRunStartsOverWithANewerRelease(t *testing.T) {
	next := release.with("plain.txt", "newer text", "about/index.html", "")
	w, x := newWorld(), newWorld()
	var turned atomic.Bool
	holds := maps.Clone(next)
	holds[site.DefaultBeacon] = string(site.NewRelease(next.manifest(), nil, site.DefaultBeacon, time.Now()).Beacon())
	beacon := w.holds[site.DefaultBeacon]
	w.spoil[site.DefaultBeacon] = func(rw http.ResponseWriter, _ *http.Request) {
		if !turned.Swap(true) {
			w.holds = holds // its own lock is held while it answers
			x.mu.Lock()
			x.holds = holds
			x.mu.Unlock()
			io.WriteString(rw, beacon)
			return
		}
		io.WriteString(rw, holds[site.DefaultBeacon])
	}
	o := options()
	o.Past = []check.PastFunc{func(context.Context, []string) []site.Past { return []site.Past{next.past(0), release.past(time.Hour)} }}
	o.Whole = func(_ context.Context, id site.ID) (site.Manifest, bool) {
		return next.manifest(), id == next.manifest().ID()
	}
	v := run(t, o, w.start(t, "a"), x.start(t, "b"))
	if !v.Agree() || v.Release != next.manifest().ID() || len(v.Notes) != 1 {
		t.Errorf("got release %s, notes %q, %q", v.Release.Short(), v.Notes, drifts(v))
	}
	o.Whole = nil
	if v := run(t, o, w.start(t, "a")); v.Release != o.Release {
		t.Errorf("compared with %s, whose manifest nobody has", v.Release.Short())
	}
}

// TestReleaseThatIsLiveAgainFromElsewhere has a release that is earlier by the history here live again from another machine,
// by a rollback or by a publish, as the targets know. A beacon alone proves nothing.
func TestReleaseThatIsLiveAgainFromElsewhere(t *testing.T) {
	earlier := release.with("plain.txt", "earlier text", "about/index.html", "earlier page")
	id := earlier.manifest().ID()
	for _, c := range []struct {
		name            string
		rollback, again bool // what the beacon says, and what the targets know
		want            site.ID
	}{
		{"a rollback", true, true, id},
		{"a publish", false, true, id},
		{"the beacon lies", true, false, options().Release},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.holds = maps.Clone(earlier)
			rel := site.NewRelease(earlier.manifest(), nil, site.DefaultBeacon, time.Now())
			rel.Rollback = c.rollback
			w.holds[site.DefaultBeacon] = string(rel.Beacon())
			o := options()
			since := 2 * time.Hour
			if c.again {
				since = 0
			}
			o.Past = []check.PastFunc{
				func(context.Context, []string) []site.Past {
					return []site.Past{release.past(time.Hour), earlier.past(2 * time.Hour)}
				},
				func(context.Context, []string) []site.Past {
					return []site.Past{earlier.past(since), release.past(time.Hour)}
				},
			}
			o.Whole = func(_ context.Context, asked site.ID) (site.Manifest, bool) { return earlier.manifest(), asked == id }
			if v := run(t, o, w.start(t, "a")); v.Release != c.want || v.Agree() != c.again {
				t.Errorf("compared with %s, want %s: %q, notes %q", v.Release.Short(), c.want.Short(), drifts(v), v.Notes)
			}
		})
	}
}

func TestRunLearnsNoise(t *testing.T) {
	w := newWorld()
	var n atomic.Int32
	w.spoil["about/index.html"] = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(rw, "about, read %d times", n.Add(1))
	}
	w.holds["plain.txt"] = "tampered"
	o := options()
	if got := drifts(run(t, o, w.start(t, "a"))); len(got) != 2 {
		t.Errorf("unlearnt: got %q", got)
	}
	o.Learn = true
	v := run(t, o, w.start(t, "a"))
	if got := drifts(v); !slices.Equal(got, []string{"a altered plain.txt"}) || !slices.Equal(v.Origins[0].Noise, []string{"about/index.html"}) {
		t.Errorf("got %q, noise %q", got, v.Origins[0].Noise)
	}
}

// TestRunIsNotFooledByTurns has backends take turns: where that is all of an origin nothing is
// known of it, and where they are of an earlier release that is stale.
func TestRunIsNotFooledByTurns(t *testing.T) {
	turns := func(texts ...string) *world {
		w := newWorld()
		var n atomic.Int32
		for path := range release {
			w.spoil[path] = func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", site.ContentType(path, nil))
				io.WriteString(rw, texts[int(n.Add(1))%len(texts)])
			}
		}
		return w
	}
	o := options()
	o.Learn, o.NotFound = true, ""
	one := o.Manifest[:1]
	o.Manifest, o.Release = one, one.ID()
	v := run(t, o, turns("wrong", "worse", "worst").start(t, "a"))
	if v.Agree() || v.Origins[0].State() != diff.CannotBeSeen || len(v.Notes) != 1 {
		t.Errorf("all noise: got %s, %q", v.Origins[0].State(), v.Notes)
	}
	before := release.with(one[0].Path, "worse")
	o.Past = []check.PastFunc{func(context.Context, []string) []site.Past { return []site.Past{before.past(time.Hour)} }}
	v = run(t, o, turns("wrong", "worse").start(t, "a"))
	if got := drifts(v); !slices.Equal(got, []string{"a stale " + one[0].Path}) || len(v.Origins[0].Noise) != 0 {
		t.Errorf("of an earlier release: got %q, noise %q", got, v.Origins[0].Noise)
	}
}

// TestRunTellsOfWavering has an origin answer rightly when it is asked again.
func TestRunTellsOfWavering(t *testing.T) {
	w := newWorld()
	var n atomic.Int32
	w.spoil["plain.txt"] = func(rw http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			http.Error(rw, "", http.StatusBadGateway)
			return
		}
		rw.Header().Set("Content-Type", "text/plain")
		io.WriteString(rw, release["plain.txt"])
	}
	if v := run(t, options(), w.start(t, "a")); !v.Agree() || v.Origins[0].Recovered != 1 {
		t.Errorf("got %q, %d recovered", drifts(v), v.Origins[0].Recovered)
	}
}

// TestRunAsksForFoldersWithoutTheirSlash finds the redirect that shows a backend's name.
func TestRunAsksForFoldersWithoutTheirSlash(t *testing.T) {
	for name, c := range map[string]struct {
		do   http.HandlerFunc
		want string
	}{
		"on the host":        {http.RedirectHandler("/about/", http.StatusMovedPermanently).ServeHTTP, ""},
		"not there":          {status(http.StatusNotFound), ""},
		"the page itself":    {func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, release["about/index.html"]) }, ""},
		"the backend's name": {http.RedirectHandler("http://backend.internal:8080/about/", http.StatusMovedPermanently).ServeHTTP, "redirected"},
		"another page":       {func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "old") }, "altered"},
	} {
		w := newWorld()
		w.spoil["about"] = c.do
		v := run(t, options(), w.start(t, "a"))
		if v.Agree() != (c.want == "") || c.want != "" && string(differenceAt(t, v, "a", "about/index.html").Kind) != c.want {
			t.Errorf("%s: got %q", name, drifts(v))
		}
	}
}

// TestRunGivesUpOnAnOriginThatHangsNowAndThen bounds what half an origin costs.
func TestRunGivesUpOnAnOriginThatHangsNowAndThen(t *testing.T) {
	w := newWorld()
	var n atomic.Int32
	o := options()
	for i := range 5000 {
		path := fmt.Sprintf("z%04d.html", i)
		o.Manifest = append(o.Manifest, site.File{Path: path, Digest: sha256.Sum256(nil)})
		w.spoil[path] = func(rw http.ResponseWriter, r *http.Request) {
			if n.Add(1)%2 == 0 {
				<-r.Context().Done()
				panic(http.ErrAbortHandler)
			}
			rw.Header().Set("Content-Type", "text/html")
		}
	}
	at := w.start(t, "a")
	at.Confirm, at.Timeout = 0, 50*time.Millisecond
	v := run(t, o, at)
	if v.Origins[0].Err == nil || v.Origins[0].Requests > 1000 {
		t.Errorf("%d requests, %v", v.Origins[0].Requests, v.Origins[0].Err)
	}
}

func TestRunComparesHeaders(t *testing.T) {
	sends := func(value string) *world {
		w := newWorld()
		for path := range release {
			w.spoil[path] = func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("Cache-Control", value)
				if path == "plain.txt" {
					rw.Header().Set("Cache-Control", "no-store")
				}
				rw.Header().Set("Content-Type", site.ContentType(path, nil))
				io.WriteString(rw, release[path])
			}
		}
		return w
	}
	o := options()
	o.NotFound = ""
	o.Headers.Names = []string{"content-type", "cache-control"}
	if got := drifts(run(t, o, sends("max-age=60").start(t, "a"), sends("Max-Age=60").start(t, "b"))); len(got) != 0 {
		t.Errorf("alike: got %q", got)
	}
	v := run(t, o, sends("x").start(t, "a"), sends("y").start(t, "b"), sends("x").start(t, "c"))
	if got := drifts(v); len(got) != len(release)-1 || !strings.HasPrefix(got[0], "b headers ") || v.Origins[1].Match != 1 {
		t.Errorf("got %q, %d match", got, v.Origins[1].Match)
	}
	o.Headers.Expected = func(origin, path, name string) string {
		if origin == "b" && name == "Cache-Control" && path != "plain.txt" {
			return "y"
		}
		return ""
	}
	if got := drifts(run(t, o, sends("x").start(t, "a"), sends("y").start(t, "b"))); len(got) != 0 {
		t.Errorf("as promised: got %q", got)
	}
}

func TestRunSeesInjections(t *testing.T) {
	w := newWorld()
	w.holds["about/index.html"] = "about<script src=//cdn.example/x.js></script>"
	w.holds["index.html"] = "hacked"
	o := options()
	o.Open = func(f site.File) ([]byte, error) { return []byte(release[f.Path]), nil }
	o.Excerpts = true
	v := run(t, o, w.start(t, "a"))
	if d := differenceAt(t, v, "a", "about/index.html"); d.Kind != diff.Altered || !strings.HasPrefix(d.Detail, "injected: <script> //cdn.example/x.js") {
		t.Errorf("got %s, %q", d.Kind, d.Detail)
	}
	if d := differenceAt(t, v, "a", "index.html"); strings.Contains(d.Detail, "injected") || d.Excerpt != "@@ -1,1 +1,1 @@\n-home\n\\ No newline at end of file\n+hacked\n\\ No newline at end of file" {
		t.Errorf("got %q with %q", d.Detail, d.Excerpt)
	}
}

func TestRunSamples(t *testing.T) {
	o := options()
	o.Sample = 2
	seen := map[string]bool{}
	for range 200 {
		w := newWorld()
		w.holds["plain.txt"] = "tampered"
		v := run(t, o, w.start(t, "a"))
		if v.Sampled != 2 || v.Origins[0].Pages != 2 || v.Pages != len(release) {
			t.Fatalf("sampled %d of %d", v.Sampled, v.Pages)
		}
		seen[fmt.Sprint(v.Agree())] = true
		if len(seen) == 2 {
			return
		}
	}
	t.Errorf("200 samples of 2 of 6 pages always say the same: %v", seen)
}

// TestRunTrusts counts full reads: only pages that were not verified before, or whose turn it
// is, or that have changed.
func TestRunTrusts(t *testing.T) {
	w := newWorld()
	var full, conditional atomic.Int32
	tag := func(text string) string {
		return fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:16])
	}
	for path := range release {
		w.spoil[path] = func(rw http.ResponseWriter, r *http.Request) {
			text := w.holds[path]
			rw.Header().Set("ETag", tag(text))
			if r.Header.Get("If-None-Match") == tag(text) {
				conditional.Add(1)
				rw.WriteHeader(http.StatusNotModified)
				return
			}
			full.Add(1)
			rw.Header().Set("Content-Type", site.ContentType(path, []byte(text)))
			io.WriteString(rw, text)
		}
	}
	kept := map[string]check.Validator{}
	o := options()
	o.NotFound = ""
	o.Validators = &check.Validators{
		Known:  func(string) map[string]check.Validator { return maps.Clone(kept) },
		Keep:   func(_ string, verified map[string]check.Validator) { maps.Copy(kept, verified) },
		Reread: 0.5,
	}
	at := w.start(t, "a")
	if v := run(t, o, at); !v.Agree() || full.Load() != 6 || v.Origins[0].Trusted != 0 {
		t.Fatalf("first: %d full reads, %q", full.Load(), drifts(v))
	}
	first := maps.Clone(kept)
	full.Store(0)
	if v := run(t, o, at); !v.Agree() || full.Load() != 3 || conditional.Load() != 3 || v.Origins[0].Trusted != 3 {
		t.Errorf("second: %d full reads, %d trusted, %q", full.Load(), v.Origins[0].Trusted, drifts(v))
	}
	again := 0
	for path, v := range kept {
		if v.Verified.After(first[path].Verified) {
			again++
		}
	}
	if again != 3 {
		t.Errorf("%d verified again, want 3", again)
	}
	w.holds["plain.txt"] = "tampered"
	if got := drifts(run(t, o, at)); !slices.Equal(got, []string{"a altered plain.txt"}) {
		t.Errorf("a changed page: got %q", got)
	}
}

// TestRunSaysOnceThatAnOriginIsParked folds the pages, and what was looked for beside them.
func TestRunSaysOnceThatAnOriginIsParked(t *testing.T) {
	w := newWorld()
	for _, path := range append(slices.Collect(maps.Keys(release)), "old.html", site.DefaultBeacon) {
		w.spoil[path] = func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "<html>This domain is for sale") }
	}
	v := run(t, options(), w.start(t, "a"))
	if got := drifts(v); !slices.Equal(got, []string{"a altered *"}) {
		t.Errorf("got %q", got)
	}
	if d := differenceAt(t, v, "a", "*"); d.Pages != len(release) || !strings.Contains(d.Detail, "the whole origin answers the same page") {
		t.Errorf("got %q", d.Detail)
	}
}
