package pages_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/origin/pages"

	"mirror/internal/origin"
	"mirror/site"
)

func client(t *testing.T, base string, o origin.Options) *origin.Client {
	t.Helper()
	u, err := url.Parse(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	o.Timeout = 5 * time.Second
	c := origin.New(origin.Endpoint{Name: "test", URL: u, Options: o})
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// siteOf serves texts by path; what ends in .gz is packed.
func siteOf(t *testing.T, texts map[string]string) *origin.Client {
	t.Helper()
	var own string
	own = serve(t, func(w http.ResponseWriter, r *http.Request) {
		text, ok := texts[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		text = strings.ReplaceAll(text, "OWN", own)
		w.Header().Set("Content-Type", typeOf(r.URL.Path))
		if strings.HasSuffix(r.URL.Path, ".gz") {
			z := gzip.NewWriter(w)
			defer z.Close()
			io.WriteString(z, text)
			return
		}
		io.WriteString(w, text)
	})
	return client(t, own, origin.Options{Concurrency: 4})
}

func typeOf(path string) string {
	for ext, mediaType := range map[string]string{".css": "text/css", ".xml": "text/xml", ".txt": "text/plain", ".gz": "application/gzip", ".png": "image/png"} {
		if strings.HasSuffix(path, ext) {
			return mediaType
		}
	}
	return "text/html; charset=utf-8"
}

const urlset = `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`

func TestListSitemap(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts map[string]string
		want  string
	}{
		{"plain", map[string]string{"sitemap.xml": urlset + "<url><loc> OWN/ </loc></url><url><loc>OWN/about/</loc><lastmod>2026-01-01</lastmod></url></urlset>"}, `"" "about/"`},
		{"another host", map[string]string{"sitemap.xml": urlset + "<url><loc>https://main.example/about/</loc></url><url><loc>/rel</loc></url></urlset>"}, `"about/" "rel"`},
		{"escapes", map[string]string{"sitemap.xml": urlset + "<url><loc>OWN/%E6%96%87/50%25%20%2b%23.html</loc></url><url><loc>OWN/a&amp;b</loc></url><url><loc><![CDATA[OWN/c]]></loc></url></urlset>"}, `"a&b" "c" "文/50% +#.html"`},
		{"each once", map[string]string{"sitemap.xml": urlset + "<url><loc>OWN/a</loc></url><url><loc>OWN/%61</loc></url></urlset>"}, `"a"`},
		{"no namespace, prefix", map[string]string{"sitemap.xml": `<s:urlset xmlns:s="x"><s:url><s:loc>OWN/a</s:loc></s:url></s:urlset>`}, `"a"`},
		{"images and languages", map[string]string{"sitemap.xml": urlset + `<url><loc>OWN/a</loc><image:image><image:loc>OWN/a.png</image:loc></image:image><xhtml:link rel="alternate" hreflang="de" href="OWN/de/a"/></url></urlset>`}, `"a" "de/a"`},
		{"index", map[string]string{
			"sitemap.xml": `<sitemapindex><sitemap><loc>https://main.example/one.xml.gz</loc></sitemap><sitemap><loc>OWN/two.txt</loc></sitemap><sitemap><loc>OWN/gone.xml</loc></sitemap></sitemapindex>`,
			"one.xml.gz":  urlset + "<url><loc>OWN/1</loc></url></urlset>", "two.txt": "\ufeffOWN/2\r\n\r\nOWN/3\n"}, `"1" "2" "3"`},
		{"robots", map[string]string{"robots.txt": "User-agent: *\nsitemap: OWN/deep/map.xml\nSitemap:OWN/b.xml", "sitemap.xml": urlset + "<url><loc>OWN/not</loc></url></urlset>",
			"deep/map.xml": urlset + "<url><loc>OWN/a</loc></url></urlset>", "b.xml": urlset + "<url><loc>OWN/b</loc></url></urlset>"}, `"a" "b"`},
		{"index of itself", map[string]string{"sitemap.xml": `<sitemapindex><sitemap><loc>OWN/sitemap.xml</loc></sitemap><sitemap><loc>OWN/a.xml</loc></sitemap></sitemapindex>`,
			"a.xml": urlset + "<url><loc>OWN/a</loc></url></urlset>"}, `"a"`},
		{"latin-1", map[string]string{"sitemap.xml": `<?xml version="1.0" encoding="ISO-8859-1"?><urlset><url><loc>OWN/a</loc></url></urlset>`}, `"a"`},
		{"left out", map[string]string{"sitemap.xml": urlset + "<url><loc>OWN/a?page=2</loc></url><url><loc>ftp://x/a</loc></url><url><loc>OWN/a%2Fb</loc></url><url><loc>OWN/%2e%2e/b</loc></url><url><loc>%zz</loc></url><url><loc>OWN/c#top</loc></url></urlset>"}, `"c"`},
	} {
		got, err := pages.ListSitemap(t.Context(), siteOf(t, c.texts), pages.Listing{})
		if err != nil || quoted(got.Paths) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.name, quoted(got.Paths), err, c.want)
		}
	}
}

func quoted(paths []string) string { return strings.Trim(fmt.Sprintf("%q", paths), "[]") }

func TestListSitemapCounts(t *testing.T) {
	got, err := pages.ListSitemap(t.Context(), siteOf(t, map[string]string{"sitemap.xml": urlset + "<url><loc>OWN/a?page=2</loc></url><url><loc>OWN/a%2Fb</loc></url><url><loc>OWN/c</loc></url></urlset>"}),
		pages.Listing{})
	if err != nil || got.Queries != 1 || got.Outside != 1 || len(got.Notes) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestListSitemapBelowABase has a site in a folder, named by the main host's URLs.
func TestListSitemapBelowABase(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/blog/sitemap.xml" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, urlset+"<url><loc>https://main.example/about/</loc></url><url><loc>https://other.example/blog/own</loc></url><url><loc>https://other.example/shop</loc></url></urlset>")
	})
	u, _ := url.Parse(base + "/blog/")
	main, _ := url.Parse("https://main.example/")
	c := origin.New(origin.Endpoint{Name: "x", URL: u, Options: origin.Options{Timeout: 5e9}})
	t.Cleanup(c.Close)
	got, err := pages.ListSitemap(t.Context(), c, pages.Listing{Bases: []*url.URL{main}})
	if err != nil || quoted(got.Paths) != `"about/" "own"` || got.Outside != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestListSitemapRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a page":      "<!doctype html><html><body>not here</body></html>",
		"text":        "Sorry, no such page",
		"nothing":     "",
		"cut":         urlset + "<url><loc>OWN/a</loc></url>",
		"entities":    `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>OWN/&b;</loc></url></urlset>`,
		"nesting":     urlset + strings.Repeat("<a>", 10_000) + strings.Repeat("</a>", 10_000) + "</urlset>",
		"a long name": urlset + "<" + strings.Repeat("a", 1<<20) + ">",
		"a long text": urlset + "<url><loc>OWN/" + strings.Repeat("a", 1<<20) + "</loc></url></urlset>",
		"no gzip":     "\x1f\x8b sorry",
	} {
		got, err := pages.ListSitemap(t.Context(), siteOf(t, map[string]string{"sitemap.xml": text}), pages.Listing{})
		if err == nil {
			t.Errorf("%s: got %q", name, got.Paths)
		}
	}
	endless := siteOf(t, map[string]string{"sitemap.xml": urlset + "<" + strings.Repeat("a", 1<<20)})
	if _, err := pages.ListSitemap(t.Context(), endless, pages.Listing{}); !errors.Is(err, site.ErrTooLong) {
		t.Errorf("a name without end: got %v", err)
	}
	if _, err := pages.ListSitemap(t.Context(), siteOf(t, nil), pages.Listing{}); !errors.Is(err, pages.ErrNoSitemap) {
		t.Errorf("no sitemap: got %v", err)
	}
}

// TestListSitemapIsBounded meets sitemaps that are larger than allowed.
func TestListSitemapIsBounded(t *testing.T) {
	var many strings.Builder
	many.WriteString(urlset)
	for i := range 50_010 {
		fmt.Fprintf(&many, "<url><loc>/p%d</loc></url>", i)
	}
	many.WriteString("</urlset>")
	got, err := pages.ListSitemap(t.Context(), siteOf(t, map[string]string{"sitemap.xml": many.String()}), pages.Listing{})
	if err != nil || len(got.Paths) != 50_000 || len(got.Notes) != 1 {
		t.Errorf("got %d pages, %q, %v", len(got.Paths), got.Notes, err)
	}
	got, err = pages.ListSitemap(t.Context(), siteOf(t, map[string]string{"sitemap.xml": many.String()}), pages.Listing{MaxPages: 7})
	if err != nil || len(got.Paths) != 7 || !strings.Contains(strings.Join(got.Notes, " "), "--max-pages") {
		t.Errorf("got %d pages, %q, %v", len(got.Paths), got.Notes, err)
	}
	bomb := "https://a.example/x" + strings.Repeat("\n", 60<<20)
	if _, err := pages.ListSitemap(t.Context(), siteOf(t, map[string]string{"robots.txt": "Sitemap: /b.txt.gz", "b.txt.gz": bomb}), pages.Listing{}); err == nil {
		t.Error("a bomb was read")
	}
	deep := map[string]string{}
	for i := range 10 {
		deep[fmt.Sprintf("%d.xml", i)] = fmt.Sprintf("<sitemapindex><sitemap><loc>/%d.xml</loc></sitemap></sitemapindex>", i+1)
	}
	deep["sitemap.xml"] = deep["0.xml"]
	if got, err := pages.ListSitemap(t.Context(), siteOf(t, deep), pages.Listing{}); err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "deeper than 3") {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzSitemap(f *testing.F) {
	f.Add([]byte(urlset + "<url><loc>https://a.example/x</loc></url></urlset>"))
	f.Add([]byte("<sitemapindex><sitemap><loc>/a.xml</loc></sitemap></sitemapindex>"))
	f.Add([]byte("https://a.example/1\nhttps://a.example/2"))
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, urlset+"</urlset>")
	z.Close()
	f.Add(packed.Bytes())
	base, _ := url.Parse("https://a.example/base/")
	f.Fuzz(func(t *testing.T, text []byte) {
		c := origin.New(origin.Endpoint{Name: "x", URL: base, Options: origin.Options{Timeout: 5e9, Transport: answering(text)}})
		l, err := pages.ListSitemapAt(t.Context(), c, []string{"sitemap.xml"}, pages.Listing{})
		if err != nil {
			return
		}
		if !slices.IsSorted(l.Paths) || len(l.Paths) > 50_000*1000 {
			t.Errorf("got %q", l.Paths)
		}
		for _, p := range l.Paths {
			if slices.Contains(strings.Split(p, "/"), "..") || len(p) > 2048 {
				t.Errorf("a path that leaves the base: %q", p)
			}
		}
	})
}

// answering answers every request with the same text.
type answering []byte

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a)), Request: r}, nil
}
