package workspace

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
)

// builds are three builds of one site, the newest last: a page was removed, the script has another
// name each time, and some files never change.
func builds() []map[string]string {
	all := make([]map[string]string, 3)
	for i := range all {
		n := i + 1
		all[i] = map[string]string{
			"index.html":                       fmt.Sprintf("<html><head><script src=/assets/app-%d.js></script></head><body>home %d</body></html>", n, n),
			"about/index.html":                 fmt.Sprintf("<html><head></head><body>about, as of build %d</body></html>", n),
			fmt.Sprintf("assets/app-%d.js", n): fmt.Sprintf("run(%d)", n),
			"css/site.css":                     fmt.Sprintf("body { margin: %dpx }", n),
			".well-known/assetlinks.json":      "[]",
			"404.html":                         "<html><body>no such page</body></html>",
		}
	}
	all[0]["retired.html"] = "<html><body>gone since the second build</body></html>"
	all[2]["new.html"] = "<html><body>new in the third build</body></html>"
	return all
}

// host serves the files of a build as a static host does.
func host(files map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" || strings.HasSuffix(name, "/") {
			name += "index.html"
		}
		text, ok := files[name]
		if _, folder := files[name+"/index.html"]; !ok && folder {
			http.Redirect(w, r, r.URL.Path+"/", http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Content-Type", site.ContentType(name, nil))
		if !ok {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			text = files["404.html"]
		}
		io.WriteString(w, text)
	}
}

// with is a build with some files in place of its own; "" takes one away.
func with(build map[string]string, files ...string) map[string]string {
	changed := maps.Clone(build)
	for i := 0; i < len(files); i += 2 {
		if changed[files[i]] = files[i+1]; files[i+1] == "" {
			delete(changed, files[i])
		}
	}
	return changed
}

// at answers some paths in another way than a host does.
func at(h http.HandlerFunc, other http.HandlerFunc, paths ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(paths, r.URL.Path) {
			other(w, r)
			return
		}
		h(w, r)
	}
}

// edge answers with what a cache holds, and requests with a query with what another handler has.
func edge(cached, queried http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			queried(w, r)
			return
		}
		cached(w, r)
	}
}

func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func lines(all ...string) string { return strings.Join(all, "\n") }

// TestIncidents rebuilds what has gone wrong behind a deployment that was reported as done, and wants
// each named for what it is: one live site in each, compared with the newest of three builds.
func TestIncidents(t *testing.T) {
	b := builds()
	old, before, built := b[0], b[1], b[2]
	var asked atomic.Int64
	for _, c := range []struct {
		name string
		live http.HandlerFunc
		wait time.Duration
		want string // rows: kind path (detail), sorted
	}{
		{"as it was built", host(built), 0, ""},
		{"the deployment was green, and the build before is live for days; the files that the deployment's own check reads never change",
			host(before), 0, lines(
				"stale about/index.html, 1 behind: the bytes of release ID, 1 behind",
				"extra assets/app-2.js, 1 behind: removed since, and served as in release ID, 1 behind",
				"missing assets/app-3.js, 1 behind: answered 404, as before it was added",
				"stale css/site.css, 1 behind: the bytes of release ID, 1 behind",
				"stale index.html, 1 behind: the bytes of release ID, 1 behind",
				"missing new.html, 1 behind: answered 404, as before it was added")},
		{"the production alias is pinned to a build of months ago; deleted pages are still there", host(old), 0, lines(
			"stale about/index.html, 2 behind: the bytes of release ID, 2 behind",
			"extra assets/app-1.js, 2 behind: removed since, and served as in release ID, 2 behind",
			"missing assets/app-3.js, 1 behind: answered 404, as before it was added",
			"stale css/site.css, 2 behind: the bytes of release ID, 2 behind",
			"stale index.html, 2 behind: the bytes of release ID, 2 behind",
			"missing new.html, 1 behind: answered 404, as before it was added",
			"extra retired.html, 2 behind: removed since, and served as in release ID, 2 behind")},
		{"the build went live after the deployment was green, and the one before it never did", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" && asked.Add(1) == 3 {
				asked.Add(1000)
			}
			if asked.Load() < 1000 {
				host(old)(w, r)
				return
			}
			host(built)(w, r)
		}, 2 * time.Minute, ""},
		{"a failed upload was logged and exit code 0 given: the page names a script that is not there", host(with(built, "assets/app-3.js", "")), 0, lines(
			"missing assets/app-3.js, 1 behind: answered 404, as before it was added")},
		{"pages are new, their style sheet of the same name is old", host(with(built, "css/site.css", before["css/site.css"])), 0, lines(
			"stale css/site.css, 1 behind: the bytes of release ID, 1 behind")},
		{"one file was updated, and that is the one that is looked at", host(with(before, "index.html", built["index.html"])), 0, lines(
			"stale about/index.html, 1 behind: the bytes of release ID, 1 behind",
			"extra assets/app-2.js, 1 behind: removed since, and served as in release ID, 1 behind",
			"missing assets/app-3.js, 1 behind: answered 404, as before it was added",
			"stale css/site.css, 1 behind: the bytes of release ID, 1 behind",
			"missing new.html, 1 behind: answered 404, as before it was added")},
		{"half of the build arrived", host(with(built, "about/index.html", "", "css/site.css", "", "new.html", "", "assets/app-3.js", "")), 0, lines(
			"missing about/index.html: answered 404",
			"missing assets/app-3.js, 1 behind: answered 404, as before it was added",
			"missing css/site.css: answered 404",
			"missing new.html, 1 behind: answered 404, as before it was added")},
		{"the edge has the old home page, the origin behind it the new one", edge(at(host(built), host(before), "/"), host(built)), 0, lines(
			"stale index.html, 1 behind, at the edge: the bytes of release ID, 1 behind; only caches serve it, past them the origin serves the release")},
		{"the edge has a 404 for a page that is new", edge(at(host(built), http.NotFound, "/new.html"), host(built)), 0, lines(
			"missing new.html, 1 behind, at the edge: answered 404; only caches serve it, past them the origin serves the release, as before it was added")},
		{"polls with a query have pinned the old page in a cache object that no visitor gets", edge(host(built), host(before)), 0, ""},
		{"a body is cut, with status 200", at(host(built), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, built["about/index.html"][:20])
		}, "/about/"), 0, lines(
			"altered about/index.html: 20 bytes, want 59")},
		{"a body ends before its length, with status 200", at(host(built), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, built["about/index.html"])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "/about/"), 0, lines(
			"unreachable about/index.html: cut: the connection ended in the middle of the answer")},
		{"a body is empty, with status 200", at(host(built), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}, "/about/"), 0, lines(
			"altered about/index.html: an empty body, want 59 bytes")},
		{"the host has shut down: every path redirects to a notice", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://notice.example/closed", http.StatusMovedPermanently)
		}, 0, lines(
			"redirected *: the same on all 7 pages: answered 301, away to the host notice.example")},
		{"the folder without its slash redirects to the host behind the proxy", at(host(built), func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://backend.internal:8080/about/", http.StatusMovedPermanently)
		}, "/about"), 0, lines(
			"redirected about/index.html: answered 301, and leaks the name of another host, backend.internal:8080")},
		{"a single-page app answers every path with its home page", func(w http.ResponseWriter, r *http.Request) {
			files := with(built, "new.html", "")
			if _, ok := files[strings.TrimPrefix(r.URL.Path, "/")]; !ok && !strings.HasSuffix(r.URL.Path, "/") {
				r.URL.Path = "/"
			}
			host(files)(w, r)
		}, 0, lines(
			"altered 404.html: a path that does not exist answers 200, not 404 with the not-found page",
			"altered about/index.html: a folder without its slash answers another page than the folder's",
			"extra assets/app-1.js, 2 behind: removed since release ID, 2 behind, and served with other bytes",
			"extra assets/app-2.js, 1 behind: removed since release ID, 1 behind, and served with other bytes",
			"altered new.html: not there: answered 200, with the page for paths that do not exist (a soft 404)",
			"extra retired.html, 2 behind: removed since release ID, 2 behind, and served with other bytes")},
		{"a CDN puts a script into each page", func(w http.ResponseWriter, r *http.Request) {
			files := maps.Clone(built)
			for _, name := range []string{"index.html", "about/index.html", "new.html"} {
				files[name] = strings.Replace(files[name], "</body>", `<script src="https://cdn.example/beacon.js"></script></body>`, 1)
			}
			host(files)(w, r)
		}, 0, lines(
			"altered about/index.html: injected: <script> https://cdn.example/beacon.js",
			"altered index.html: injected: <script> https://cdn.example/beacon.js",
			"altered new.html: injected: <script> https://cdn.example/beacon.js")},
		{"the host answers each path with its error page", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Application error", http.StatusInternalServerError)
		}, 0, lines(
			"unreachable *: the same on all 7 pages: answered 500")},
		{"a wrong push has put the sources in the place of the site", host(map[string]string{"README.md": "# Site", "src/index.md": "home"}), 0, lines(
			"missing *: the same on all 7 pages: answered 404")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := checkBuilt(t, c.live, built, c.wait, before, old)
			if got := rows(v); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if v.Agree() != (c.want == "") {
				t.Errorf("got %s", v.State())
			}
		})
	}
}

// checkBuilt compares a live site with a build, earlier builds being known.
func checkBuilt(t *testing.T, live http.HandlerFunc, built map[string]string, wait time.Duration, earlier ...map[string]string) diff.Verdict {
	t.Helper()
	server := httptest.NewServer(live)
	server.Config.ErrorLog = nil
	defer server.Close()
	o := LiveOptions{
		CheckOptions: CheckOptions{Wait: wait}, SiteOptions: SiteOptions{Concurrency: 4, Timeout: time.Minute},
		Built: BuiltOptions{NotFound: "404.html", CleanURLs: "auto", Index: true},
	}
	for _, files := range earlier {
		o.Built.Earlier = append(o.Built.Earlier, folderOf(t, files))
	}
	v, err := CheckLive(t.Context(), []string{folderOf(t, built), server.URL}, o, NewLines(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var shortID = regexp.MustCompile("release [0-9a-f]{12}")

// rows lists the differences, one a line.
func rows(v diff.Verdict) string {
	var all []string
	for _, o := range v.Origins {
		if o.Err != nil {
			all = append(all, "error: "+o.Err.Error())
		}
		for _, d := range o.Differences {
			row := string(d.Kind) + " " + d.Path
			if d.Behind > 0 {
				row += fmt.Sprintf(", %d behind", d.Behind)
			}
			if d.Cached {
				row += ", at the edge"
			}
			all = append(all, row+": "+shortID.ReplaceAllString(d.Detail, "release ID"))
		}
	}
	return strings.Join(all, "\n")
}
