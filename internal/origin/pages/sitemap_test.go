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

	"mirror/internal/longtest"
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
	o.Timeout = time.Minute
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
		text, ok := texts[strings.TrimPrefix(r.URL.RequestURI(), "/")]
		if !ok && r.URL.RawQuery == "" {
			text, ok = texts[strings.TrimPrefix(r.URL.Path, "/")]
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		text = strings.ReplaceAll(text, "OWN", own)
		if to, redirects := strings.CutPrefix(text, "LOCATION "); redirects {
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return
		}
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

// list lists the pages that the sitemaps of an origin name, as a comparison does.
func list(t *testing.T, c *origin.Client, o pages.Listing) (pages.Listed, error) {
	t.Helper()
	home := pages.ReadHome(t.Context(), c, o)
	if home.Production != nil {
		o.Bases = append(o.Bases, home.Production)
	}
	return pages.ListSitemap(t.Context(), c, home, o)
}

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
			"sitemap.xml": `<sitemapindex><sitemap><loc>https://main.example/one.xml.gz</loc></sitemap><sitemap><loc>OWN/two.txt</loc></sitemap></sitemapindex>`,
			"one.xml.gz":  urlset + "<url><loc>OWN/1</loc></url></urlset>", "two.txt": "\ufeffOWN/2\r\n\r\nOWN/3\n"}, `"1" "2" "3"`},
		{"robots", map[string]string{"robots.txt": "User-agent: *\nsitemap: OWN/deep/map.xml\nSitemap:OWN/b.xml", "sitemap.xml": urlset + "<url><loc>OWN/not</loc></url></urlset>",
			"deep/map.xml": urlset + "<url><loc>OWN/a</loc></url></urlset>", "b.xml": urlset + "<url><loc>OWN/b</loc></url></urlset>"}, `"a" "b"`},
		{"index of itself", map[string]string{"sitemap.xml": `<sitemapindex><sitemap><loc>OWN/sitemap.xml</loc></sitemap><sitemap><loc>OWN/a.xml</loc></sitemap></sitemapindex>`,
			"a.xml": urlset + "<url><loc>OWN/a</loc></url></urlset>"}, `"a"`},
		{"latin-1", map[string]string{"sitemap.xml": `<?xml version="1.0" encoding="ISO-8859-1"?><urlset><url><loc>OWN/a</loc></url></urlset>`}, `"a"`},
		{"Astro", map[string]string{"": `<head><link rel="sitemap" href="/sitemap-index.xml">`, "sitemap-index.xml": "<sitemapindex><sitemap><loc>https://main.example/sitemap-0.xml</loc></sitemap></sitemapindex>",
			"sitemap-0.xml": urlset + "<url><loc>https://main.example/a/</loc></url></urlset>"}, `"a/"`},
		{"Astro without a link", map[string]string{"sitemap-index.xml": "<sitemapindex><sitemap><loc>/sitemap-0.xml</loc></sitemap></sitemapindex>",
			"sitemap-0.xml": urlset + "<url><loc>OWN/a/</loc></url></urlset>"}, `"a/"`},
		{"Yoast", map[string]string{"sitemap.xml": "LOCATION /sitemap_index.xml", "sitemap_index.xml": "<sitemapindex><sitemap><loc>OWN/page-sitemap.xml</loc></sitemap></sitemapindex>",
			"page-sitemap.xml": urlset + "<url><loc>OWN/a/</loc></url></urlset>"}, `"a/"`},
		{"Yoast without a redirect", map[string]string{"sitemap_index.xml": "<sitemapindex><sitemap><loc>OWN/page-sitemap.xml</loc></sitemap></sitemapindex>",
			"page-sitemap.xml": urlset + "<url><loc>OWN/a/</loc></url></urlset>"}, `"a/"`},
		{"WordPress", map[string]string{"wp-sitemap.xml": urlset + "<url><loc>OWN/a/</loc></url></urlset>"}, `"a/"`},
		{"packed", map[string]string{"sitemap.xml.gz": urlset + "<url><loc>OWN/a</loc></url></urlset>"}, `"a"`},
		{"text", map[string]string{"sitemap.txt": "OWN/a\nOWN/b"}, `"a" "b"`},
		{"links of the home page", map[string]string{"": `<LINK REL="alternate SITEMAP" TYPE=text/xml HREF=maps/all.xml><link rel="sitemap" href="OWN/more.txt"><link rel=sitemap><link rel=sitemap href="mailto:x">`,
			"maps/all.xml": urlset + "<url><loc>OWN/a</loc></url></urlset>", "more.txt": "OWN/b", "sitemap.xml": urlset + "<url><loc>OWN/not</loc></url></urlset>"}, `"a" "b"`},
		{"a link behind a redirect", map[string]string{"": "LOCATION /en/", "en/": `<link rel="sitemap" href="map.xml">`, "en/map.xml": urlset + "<url><loc>OWN/en/a</loc></url></urlset>"}, `"en/a"`},
		{"comments in robots", map[string]string{"robots.txt": "# Sitemap: OWN/no.xml\nUser-agent: * # all\nSITEMAP : OWN/s.xml#top # all pages\nSitemap: /t.xml\t#x\n",
			"s.xml": urlset + "<url><loc>OWN/a</loc></url></urlset>", "t.xml": urlset + "<url><loc>OWN/b</loc></url></urlset>", "no.xml": "x"}, `"a" "b"`},
		{"robots names one that is not there", map[string]string{"robots.txt": "Sitemap: OWN/no.xml", "sitemap.xml": urlset + "<url><loc>OWN/a</loc></url></urlset>"}, `"a"`},
		{"parts by a query", map[string]string{"sitemap.xml": `<sitemapindex><sitemap><loc>OWN/sitemap.xml?page=1</loc></sitemap><sitemap><loc>OWN/sitemap.xml?page=2&amp;x=%20</loc></sitemap></sitemapindex>`,
			"sitemap.xml?page=1": urlset + "<url><loc>OWN/a</loc></url></urlset>", "sitemap.xml?page=2&x=%20": urlset + "<url><loc>OWN/b</loc></url></urlset>"}, `"a" "b"`},
		{"a query in robots", map[string]string{"robots.txt": "Sitemap: OWN/map.php?lang=en", "map.php?lang=en": urlset + "<url><loc>OWN/a</loc></url></urlset>"}, `"a"`},
		{"RSS", map[string]string{"robots.txt": "Sitemap: /rss.xml", "rss.xml": `<?xml version="1.0"?><rss version="2.0"><channel><title>x</title><link>OWN/</link><item><link>OWN/a</link><guid>OWN/no</guid></item><item><link>OWN/b</link></item></channel></rss>`}, `"a" "b"`},
		{"Atom", map[string]string{"robots.txt": "Sitemap: /atom.xml", "atom.xml": `<feed xmlns="http://www.w3.org/2005/Atom"><link href="OWN/"/><entry><link rel="enclosure" href="OWN/no"/><link href="OWN/a"/></entry><entry><link rel="alternate" href="/b"/></entry></feed>`}, `"a" "b"`},
		{"a mark and blank lines at the start", map[string]string{"sitemap.xml": "\ufeff" + urlset + "<url><loc>OWN/a</loc></url></urlset>\n<!-- made by x -->\n"}, `"a"`},
		{"blank lines at the start", map[string]string{"sitemap.xml": "\n\n" + urlset + "<url><loc>\n\tOWN/a\n</loc></url></urlset>"}, `"a"`},
		{"GBK that says so", map[string]string{"sitemap.xml": "<?xml version=\"1.0\" encoding=\"GBK\"?><urlset><url><loc>OWN/\xce\xc4\xd5\xc2</loc></url></urlset>"}, `"文章"`},
		{"left out", map[string]string{"sitemap.xml": urlset + "<url><loc>OWN/a?page=2</loc></url><url><loc>ftp://x/a</loc></url><url><loc>OWN/a%2Fb</loc></url><url><loc>OWN/%2e%2e/b</loc></url><url><loc>%zz</loc></url><url><loc>OWN/c#top</loc></url></urlset>"}, `"c"`},
	} {
		got, err := list(t, siteOf(t, c.texts), pages.Listing{})
		if err != nil || quoted(got.Paths) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.name, quoted(got.Paths), err, c.want)
		}
	}
}

func quoted(paths []string) string { return strings.Trim(fmt.Sprintf("%q", paths), "[]") }

func TestListSitemapCounts(t *testing.T) {
	got, err := list(t, siteOf(t, map[string]string{"sitemap.xml": urlset + "<url><loc>OWN/a?page=2</loc></url><url><loc>OWN/a%2Fb</loc></url><url><loc>OWN/c</loc></url></urlset>"}),
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
	c := origin.New(origin.Endpoint{Name: "x", URL: u, Options: origin.Options{Timeout: time.Minute}})
	t.Cleanup(c.Close)
	got, err := list(t, c, pages.Listing{Bases: []*url.URL{main}})
	if err != nil || quoted(got.Paths) != `"about/" "own"` || got.Outside != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestBrokenSitemaps has sitemaps that are there and cannot be read: each is an error that names the
// file and what is wrong with it, with the line where there are lines.
func TestBrokenSitemaps(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a bare &", urlset + "\n<url><loc>OWN/</loc></url>\n<url><loc>OWN/q-&-a/</loc></url></urlset>", "sitemap.xml: line 3: invalid character entity &-a (no semicolon) (hint: a bare & is written &amp;)"},
		{"cut short", urlset + "\n<url><loc>OWN/a</loc></url>\n", "sitemap.xml: line 3: the file ends before the list does"},
		{"cut in a tag", urlset + "<url><loc>OWN/a</lo", "sitemap.xml: line 1: the file ends before the list does"},
		{"cut before the list", `<?xml version="1.0"?>`, "sitemap.xml: line 1: the file ends before the list does"},
		{"text behind the end", urlset + "<url><loc>OWN/a</loc></url></urlset>\n<br />Warning: x", "sitemap.xml: line 2: there is a second root element, <br>"},
		{"words behind the end", urlset + "<url><loc>OWN/a</loc></url></urlset>\n\nWarning: x", "there is text behind the end of the list"},
		{"GBK", urlset + "\n<url><loc>OWN/\xce\xc4\xd5\xc2</loc></url></urlset>", "sitemap.xml: line 2: the text is not UTF-8"},
		{"UTF-16", "\xff\xfe<\x00u\x00r\x00l\x00", "sitemap.xml: line 1: the file is UTF-16"},
		{"UTF-16 without a mark", "<\x00u\x00r\x00l\x00", "sitemap.xml: line 1: the file is UTF-16"},
		{"UTF-16 by its own word", `<?xml version="1.0" encoding="utf-16"?><urlset></urlset>`, "the file says that it is utf-16, and is not"},
		{"an unknown encoding", `<?xml version="1.0" encoding="none-such"?><urlset></urlset>`, "none-such"},
		{"elements that cross", urlset + "<url><loc>OWN/a</url></loc></urlset>", "sitemap.xml: line 1: element <loc> closed by </url>"},
		{"a page", "<!doctype html><html lang=en><body>not here</body></html>", "sitemap.xml: it is a page of HTML"},
		{"text", "Sorry, no such page", "sitemap.xml: this is no sitemap"},
		{"text in a list", "https://a.example/1\nhttps://a.example/2\nand so on", `sitemap.xml: line 3: "and so on" is not a URL`},
		{"nothing", "", "sitemap.xml: the file is empty"},
		{"entities", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>OWN/&b;</loc></url></urlset>`, "sitemap.xml: line 1: invalid character entity"},
		{"nesting", urlset + strings.Repeat("<a>", 10_000) + strings.Repeat("</a>", 10_000) + "</urlset>", "deeper than 32"},
		{"a long name", urlset + "<" + strings.Repeat("a", 1<<20) + ">", "too long"},
		{"a long text", urlset + "<url><loc>OWN/" + strings.Repeat("a", 1<<20) + "</loc></url></urlset>", "too long"},
		{"no gzip", "\x1f\x8b sorry", "sitemap.xml: the sitemap is no gzip"},
		{"an index of what is not there", "<sitemapindex><sitemap><loc>OWN/gone.xml</loc></sitemap></sitemapindex>", "gone.xml: an index names it, and it is not there"},
		{"an index of what is elsewhere", "<sitemapindex><sitemap><loc>ftp://x.example/s.xml</loc></sitemap></sitemapindex>", `sitemap.xml: it names "ftp://x.example/s.xml"`},
	} {
		for _, robots := range []string{"", "Sitemap: OWN/sitemap.xml # all"} {
			texts := map[string]string{"": "home", "sitemap.xml": c.text}
			if robots != "" {
				texts["robots.txt"] = robots
			}
			got, err := list(t, siteOf(t, texts), pages.Listing{})
			if err != nil || got.Unread == nil || !strings.Contains(got.Unread.Error(), c.want) || !slices.Contains(got.Sitemaps, "sitemap.xml") {
				t.Errorf("%s:\ngot  %v, %v, %q\nwant %s", c.name, got.Unread, err, got.Sitemaps, c.want)
			}
		}
	}
	endless := siteOf(t, map[string]string{"sitemap.xml": urlset + "<" + strings.Repeat("a", 1<<20)})
	if got, err := list(t, endless, pages.Listing{}); err != nil || !errors.Is(got.Unread, site.ErrTooLong) {
		t.Errorf("a name without end: got %v, %v", got.Unread, err)
	}
}

// TestWhatIsNoSitemap has origins without a sitemap that answer something all the same.
func TestWhatIsNoSitemap(t *testing.T) {
	longtest.Skip(t, "waits for a server that sends without end")
	html := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			io.WriteString(w, "<!doctype html><html lang=en><p>the one page of an app")
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"404": http.NotFound, "403 for what is not there": html(http.StatusForbidden), "500 for what is not there": html(http.StatusInternalServerError),
		"a page for every path": html(http.StatusOK), "410": html(http.StatusGone),
		"a redirect for every path": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				html(http.StatusOK)(w, r)
				return
			}
			http.Redirect(w, r, "/", http.StatusFound)
		},
		"a redirect to another host": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://parked.example"+r.URL.Path, http.StatusMovedPermanently)
		},
	} {
		got, err := list(t, client(t, serve(t, answer), origin.Options{}), pages.Listing{})
		if !errors.Is(err, pages.ErrNoSitemap) || got.Unread != nil {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for name, status := range map[string]int{"503": http.StatusServiceUnavailable, "429": http.StatusTooManyRequests} {
		overloaded := func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				html(http.StatusOK)(w, r)
				return
			}
			html(status)(w, r)
		}
		got, err := list(t, client(t, serve(t, overloaded), origin.Options{}), pages.Listing{})
		if err != nil || got.Unread == nil || !strings.Contains(got.Unread.Error(), "answered "+name) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	dead := client(t, serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), origin.Options{})
	if got, err := list(t, dead, pages.Listing{}); err == nil || errors.Is(err, pages.ErrNoSitemap) || got.Unread != nil {
		t.Errorf("no answer: got %+v, %v", got, err)
	}
}

// TestProduction finds out under which host a site is named.
func TestProduction(t *testing.T) {
	for _, c := range []struct {
		home string
		want string
	}{
		{`<link rel="canonical" href="https://main.example/">`, "https://main.example/"},
		{`<link rel=canonical href=https://main.example>`, "https://main.example/"},
		{`<link rel="canonical" href="https://main.example/blog/index.html">`, "https://main.example/blog/"},
		{`<meta property="og:url" content="https://main.example/">`, "https://main.example/"},
		{`<base href="https://main.example/">`, "https://main.example/"},
		{`<link rel="canonical" href="OWN/">`, ""},
		{`<link rel="canonical" href="mailto:x"><meta property="og:url" content="/">`, ""},
		{`LOCATION /en/`, "https://main.example/sub/"},
	} {
		texts := map[string]string{"": c.home, "en/": `<link rel="canonical" href="https://main.example/sub/en/">`}
		home := pages.ReadHome(t.Context(), siteOf(t, texts), pages.Listing{})
		got := ""
		if home.Production != nil {
			got = home.Production.String()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.home, got, c.want)
		}
	}
	named, err := list(t, siteOf(t, map[string]string{"sitemap.xml": urlset + "<url><loc>https://main.example/a</loc></url><url><loc>https://main.example/b</loc></url><url><loc>OWN/c</loc></url></urlset>"}), pages.Listing{})
	if err != nil || named.Production == nil || named.Production.String() != "https://main.example/" {
		t.Errorf("by the sitemap: got %v, %v", named.Production, err)
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
	got, err := list(t, siteOf(t, map[string]string{"sitemap.xml": many.String()}), pages.Listing{})
	if err != nil || len(got.Paths) != 50_010 || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "names 50010 URLs") {
		t.Errorf("got %d pages, %q, %v", len(got.Paths), got.Notes, err)
	}
	got, err = list(t, siteOf(t, map[string]string{"sitemap.xml": many.String()}), pages.Listing{MaxPages: 7})
	if err != nil || len(got.Paths) != 7 || !strings.Contains(strings.Join(got.Notes, " "), "--max-pages") {
		t.Errorf("got %d pages, %q, %v", len(got.Paths), got.Notes, err)
	}
	var part bytes.Buffer // a member of a gzip file; to pack all of them takes longer than to read them
	z := gzip.NewWriter(&part)
	io.WriteString(z, "https://a.example/x"+strings.Repeat("\n"+strings.Repeat(" ", 1000), 1<<10))
	z.Close()
	bomb := strings.Repeat(part.String(), 60)
	if got, err := list(t, siteOf(t, map[string]string{"robots.txt": "Sitemap: /b.txt", "b.txt": bomb}), pages.Listing{}); err != nil || !errors.Is(got.Unread, site.ErrTooLong) {
		t.Errorf("a bomb: got %v, %v", got.Unread, err)
	}
	deep := map[string]string{}
	for i := range 10 {
		deep[fmt.Sprintf("%d.xml", i)] = fmt.Sprintf("<sitemapindex><sitemap><loc>/%d.xml</loc></sitemap></sitemapindex>", i+1)
	}
	deep["sitemap.xml"] = deep["0.xml"]
	if got, err := list(t, siteOf(t, deep), pages.Listing{}); err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "deeper than 3") {
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
		l, err := pages.ListSitemapAt(t.Context(), c, []pages.Location{{Path: "sitemap.xml"}}, pages.Listing{})
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
