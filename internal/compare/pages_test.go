package compare_test

import (
	"fmt"
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

func started(t *testing.T, all ...*world) (origins []compare.Origin) {
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
	if err != nil || fmt.Sprintf("%q", found.Paths) != `["" "about/" "only-c.html" "plain.txt"]` || found.From != "the sitemaps of 2 of 3 origins" {
		t.Fatalf("got %q from %s, %v", found.Paths, found.From, err)
	}
	notes := strings.Join(found.Notes, "\n")
	if !strings.Contains(notes, "c: 1 URLs with a query") || !strings.Contains(notes, "c: 1 URLs of the sitemap lead elsewhere") || !strings.Contains(notes, "--crawl") {
		t.Errorf("got notes %q", found.Notes)
	}
	v, err := compare.Run(t.Context(), origins, found.Paths, usual)
	if got := drifts(v); err != nil || got != "c extra only-c.html" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFindCrawls(t *testing.T) {
	all := worlds(2)
	all[0].every = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	all[1].pages[""] = `<a href="about/">`
	all[1].pages["about/"] = `<link rel=stylesheet href="../css/site.css">`
	found, err := compare.Find(t.Context(), started(t, all...), compare.Search{})
	if err != nil || fmt.Sprintf("%q", found.Paths) != `["" "about/" "css/site.css"]` || found.From != "the links of b" {
		t.Errorf("got %q from %s, %v", found.Paths, found.From, err)
	}
	all[1].pages["sitemap.xml"] = sitemapOf("/feed.xml", "/about/")
	found, err = compare.Find(t.Context(), started(t, all...), compare.Search{Crawl: true})
	if err != nil || fmt.Sprintf("%q", found.Paths) != `["" "about/" "css/site.css" "feed.xml"]` {
		t.Errorf("with a sitemap: got %q, %v", found.Paths, err)
	}
	all[1].every = all[0].every
	if _, err := compare.Find(t.Context(), started(t, all...), compare.Search{}); err == nil {
		t.Error("no origin answers: no error")
	}
}

func TestFindAt(t *testing.T) {
	all := worlds(2)
	all[1].pages["maps/all.xml"] = sitemapOf("https://main.example/about/")
	origins := started(t, all...)
	found, err := compare.FindAt(t.Context(), all[1].own+"/maps/all.xml", origins, 0)
	if err != nil || !slices.Equal(found.Paths, []string{"", "about/"}) {
		t.Errorf("got %q, %v", found.Paths, err)
	}
	for _, bad := range []string{all[1].own + "/none.xml", "maps/all.xml", "ftp://x/y"} {
		if _, err := compare.FindAt(t.Context(), bad, origins, 0); err == nil {
			t.Errorf("%s: no error", bad)
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
	var origins []compare.Origin
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
		origins = append(origins, compare.Origin{
			Origin:  origin.Origin{Name: string(rune('a' + i)), URL: u, Style: site.URLStyle{NoIndex: true}},
			Options: origin.Options{Concurrency: 4, Timeout: 10 * time.Second, Confirm: 1},
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
