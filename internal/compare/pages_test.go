package compare_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"net/url"

	"mirror/internal/compare"
	"mirror/internal/origin"
	"mirror/internal/realserver"
	"mirror/site"
)

func sitemapOf(locations ...string) string {
	text := `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`
	for _, l := range locations {
		text += "<url><loc>" + l + "</loc></url>"
	}
	return text + "</urlset>"
}

func started(t *testing.T, all ...*world) (origins []origin.Endpoint) {
	t.Helper()
	for i, w := range all {
		origins = append(origins, w.start(t, string(rune('a'+i))))
	}
	return origins
}

func TestFindTakesEverySitemap(t *testing.T) {
	all := worlds(3)
	all[0].pages["sitemap.xml"] = sitemapOf("OWN/about/", "https://main.example/plain.txt")
	all[2].pages["sitemap.xml"] = sitemapOf("OWN/about/", "OWN/only-c.html", "OWN/list?page=2", "mailto:x")
	all[2].pages["only-c.html"] = "c"
	origins := started(t, all...)
	found, err := compare.Find(t.Context(), origins, compare.Search{})
	if err != nil || fmt.Sprintf("%q", found.Paths) != `["" "about/" "only-c.html" "plain.txt" "sitemap.xml"]` || found.From != "the sitemaps of 2 of 3 origins" {
		t.Fatalf("got %q from %s, %v", found.Paths, found.From, err)
	}
	notes := strings.Join(found.Notes, "\n")
	if !strings.Contains(notes, "c: 1 URLs with a query") || !strings.Contains(notes, "c: 1 URLs of the sitemap lead elsewhere") || !strings.Contains(notes, "--crawl") {
		t.Errorf("got notes %q", found.Notes)
	}
	v, err := compare.Run(t.Context(), origins, found.Paths, usual)
	if got := drifts(v); err != nil || got != "a extra sitemap.xml, b missing sitemap.xml, c altered sitemap.xml, c extra only-c.html" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFindCrawls(t *testing.T) {
	all := worlds(2)
	dead := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	all[0].every = dead
	all[1].pages[""] = `<a href="about/">`
	all[1].pages["about/"] = `<link rel=stylesheet href="../css/site.css">`
	found, err := compare.Find(t.Context(), started(t, all...), compare.Search{})
	if err != nil || fmt.Sprintf("%q", found.Paths) != `["" "about/" "css/site.css"]` || found.From != "the links of b" {
		t.Errorf("got %q from %s, %v", found.Paths, found.From, err)
	}
	all[0].change(func() {
		all[0].every = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<p>Back soon")
		}
	})
	found, err = compare.Find(t.Context(), started(t, all...), compare.Search{})
	if err != nil || len(found.Paths) != 3 || found.From != "the links of b" {
		t.Errorf("a home page without links: got %q from %s, %v", found.Paths, found.From, err)
	}
	all[1].change(func() { all[1].pages["sitemap.xml"] = sitemapOf("/feed.xml", "/about/") })
	found, err = compare.Find(t.Context(), started(t, all...), compare.Search{Crawl: true})
	if err != nil || fmt.Sprintf("%q", found.Paths) != `["" "about/" "css/site.css" "feed.xml" "sitemap.xml"]` {
		t.Errorf("with a sitemap: got %q, %v", found.Paths, err)
	}
	for _, w := range all {
		w.change(func() { w.every = dead })
	}
	origins := started(t, all...)
	found, err = compare.Find(t.Context(), origins, compare.Search{})
	if err != nil || found.Unlisted == nil || fmt.Sprintf("%q", found.Paths) != `[""]` {
		t.Errorf("no origin answers: got %+v, %v", found, err)
	}
	v, err := compare.Run(t.Context(), origins, found.Paths, compare.Options{Unlisted: found.Unlisted})
	if err != nil || v.Origins[0].Err == nil || v.Origins[1].Err == nil {
		t.Errorf("no origin answers: got %+v, %v", v, err)
	}
}

// TestABrokenSitemapIsNoAgreement has sites that agree in all that can be found, and sitemaps that
// cannot be read: which pages there are is not known then.
func TestABrokenSitemapIsNoAgreement(t *testing.T) {
	const broken = "<urlset>\n<url><loc>OWN/about/</loc></url>\n<url><loc>OWN/?a&b</loc></url>\n</urlset>"
	for name, where := range map[string][]int{"everywhere": {0, 1, 2}, "on one": {1}} {
		all := worlds(3)
		for i, w := range all {
			w.pages["sitemap.xml"] = sitemapOf("/about/", "/plain.txt")
			if slices.Contains(where, i) {
				w.pages["sitemap.xml"] = broken
			}
		}
		origins := started(t, all...)
		found, err := compare.Find(t.Context(), origins, compare.Search{})
		if err != nil || found.Complete() || len(found.Unread) != len(where) || !slices.Contains(found.Paths, "sitemap.xml") {
			t.Fatalf("%s: got %+v, %v", name, found, err)
		}
		v, err := compare.Run(t.Context(), origins, found.Paths, compare.Options{IgnoreHost: true, Unread: found.Unread})
		for i, o := range v.Origins {
			if why := fmt.Sprint(o.Err); slices.Contains(where, i) != strings.Contains(why, "sitemap.xml: line 3: ") {
				t.Errorf("%s: %s: got %s", name, o.Name, why)
			}
		}
		if err != nil || v.Agree() || v.Drifted() != (len(where) == 1) {
			t.Errorf("%s: got %s, %v", name, v.State(), err)
		}
	}
}

// TestLinksToTheProductionHost has mirrors whose pages link to each other by the host of the
// main site, which is none of the mirrors.
func TestLinksToTheProductionHost(t *testing.T) {
	for name, home := range map[string]string{
		"a canonical link": `<link rel=canonical href="https://www.main.example/"><a href="https://main.example/about/">`,
		"og:url":           `<meta property="og:url" content="https://main.example/"><a href="https://www.main.example/about/">`,
		"a base element":   `<base href="https://main.example/"><a href="about/">`,
	} {
		all := worlds(2)
		for _, w := range all {
			w.pages[""] = home
			w.pages["about/"] = `<a href="https://main.example/plain.txt"><a href="https://other.example/feed.xml">`
		}
		found, err := compare.Find(t.Context(), started(t, all...), compare.Search{})
		if err != nil || !slices.Equal(found.Paths, []string{"", "about/", "plain.txt"}) {
			t.Errorf("%s: got %q, %v", name, found.Paths, err)
		}
	}
	all := worlds(2)
	for _, w := range all {
		w.pages["sitemap.xml"] = sitemapOf("https://main.example/about/")
		w.pages["about/"] = `<a href="https://main.example/plain.txt">`
	}
	found, err := compare.Find(t.Context(), started(t, all...), compare.Search{Crawl: true})
	if err != nil || !slices.Equal(found.Paths, []string{"", "about/", "plain.txt", "sitemap.xml"}) {
		t.Errorf("by the sitemap: got %q, %v", found.Paths, err)
	}
}

func TestFindAt(t *testing.T) {
	all := worlds(2)
	all[1].pages["maps/all.xml"] = sitemapOf("https://main.example/about/")
	origins := started(t, all...)
	found, err := compare.FindAt(t.Context(), all[1].own+"/maps/all.xml", origins, 0)
	if err != nil || !slices.Equal(found.Paths, []string{"", "about/", "maps/all.xml"}) {
		t.Errorf("got %q, %v", found.Paths, err)
	}
	for _, bad := range []string{"maps/all.xml", "ftp://x/y"} {
		if _, err := compare.FindAt(t.Context(), bad, origins, 0); !errors.Is(err, compare.ErrNoURL) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
	found, err = compare.FindAt(t.Context(), all[1].own+"/none.xml", origins, 0)
	if err != nil || found.Unlisted == nil {
		t.Fatalf("no sitemap there: got %+v, %v", found, err)
	}
	v, err := compare.Run(t.Context(), origins, found.Paths, compare.Options{Unlisted: found.Unlisted})
	if err != nil || v.Agree() || v.Drifted() || !strings.Contains(v.Origins[0].Err.Error(), "none.xml") {
		t.Errorf("no sitemap there: got %+v, %v", v, err)
	}
}

// TestReadNames reads a list of pages as people write it.
func TestReadNames(t *testing.T) {
	origins := started(t, worlds(2)...)
	base, err := url.Parse("https://A.example/blog/")
	if err != nil {
		t.Fatal(err)
	}
	origins[1].URL = base
	text := strings.Join([]string{
		"/about/", "", "docs/50%25.html#part", " plain.txt ", "#top", origins[0].URL.String() + "css/site.css",
		"http://a.Example:80/blog/post.html#x", "//a.example/blog", "list?page=2", "https://a.example/blog/?q",
	}, "\n")
	names, queries, err := compare.ReadNames(strings.NewReader(text), origins)
	if got := fmt.Sprintf("%q", names); err != nil || queries != 2 || got != `["about/" "docs/50%.html" "plain.txt" "" "css/site.css" "post.html" ""]` {
		t.Errorf("got %s, %d queries, %v", got, queries, err)
	}
	for _, bad := range []string{"../up", "a/%zz", "https://other.example/about/", "https://a.example/elsewhere/", "https://a.example:8443/blog/", "ftp://a.example/blog/", "https:///x", "https://a.example/blog/a%2fb", "//other.example/x"} {
		if _, _, err := compare.ReadNames(strings.NewReader("about/\n"+bad), origins); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("line 2: %q", bad)) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestNamedAreBounded(t *testing.T) {
	found := compare.Named([]string{"b", "a", "b"}, 0)
	if !slices.Equal(found.Paths, []string{"", "a", "b"}) {
		t.Errorf("got %q", found.Paths)
	}
	if found := compare.Named([]string{"b", "a"}, 2); len(found.Paths) != 2 || len(found.Notes) != 1 {
		t.Errorf("got %+v", found)
	}
}

// TestNginx compares three sites that real servers serve, one of them with a page altered.
func TestNginx(t *testing.T) {
	var origins []origin.Endpoint
	var roots []string
	for i := range 3 {
		root := t.TempDir()
		roots = append(roots, root)
		base := realserver.Nginx(t, root) + "/"
		for path, text := range map[string]string{
			"index.html": `<a href="docs">`, "docs/index.html": `<link rel=canonical href="` + base + `docs/"><img src="i.png">`,
			"docs/i.png": "\x89PNG", "404.html": "no such page",
		} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		origins = append(origins, origin.Endpoint{
			Name: string(rune('a' + i)), URL: u, Style: site.URLStyle{NoIndex: true},
			Options: origin.Options{Concurrency: 4, Timeout: time.Minute, Confirm: 1},
		})
	}
	check := func(want string) {
		t.Helper()
		found, err := compare.Find(t.Context(), origins, compare.Search{})
		if err != nil || fmt.Sprintf("%q", found.Paths) != `["" "docs" "docs/" "docs/i.png"]` {
			t.Fatalf("got %q, %v", found.Paths, err)
		}
		v, err := compare.Run(t.Context(), origins, found.Paths, usual)
		if got := drifts(v); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	check("")
	if err := os.WriteFile(filepath.Join(roots[1], "docs/i.png"), []byte("\x89PNG other"), 0o644); err != nil {
		t.Fatal(err)
	}
	check("b altered docs/i.png")
	if err := os.Remove(filepath.Join(roots[2], "docs/index.html")); err != nil { // nginx answers 403 for the folder
		t.Fatal(err)
	}
	check("b altered docs/i.png, c missing docs/")
}
