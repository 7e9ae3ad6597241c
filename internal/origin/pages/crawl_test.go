package pages_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"mirror/internal/origin/pages"

	"mirror/internal/origin"
)

func TestCrawl(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts map[string]string
		want  string
	}{
		{"links", map[string]string{"": `<a href="about/">x</a><a href='/b.html#top'>`, "about/": `<a href="deep.html"><a href="../">`, "about/deep.html": ""},
			`"" "about/" "about/deep.html" "b.html"`},
		{"what is embedded", map[string]string{"": `<link rel=stylesheet href=s.css><script src="a.js"></script><img src=i.png srcset="j.png 1x, k.png 2x,l.png"><video poster=p.png src=v.mp4></video>
			<object data="o.svg"></object><iframe src="f.html"></iframe><p style="background:url('bg.png')"><style>@import "t.css"; b{background:url(c.png)}</style><meta http-equiv="Refresh" content="5; URL='r.html'">`,
			"s.css": `@import url(u.css); a { background: url( "img/x.png" ) }`, "u.css": `b{src:url(../f.woff2)}`},
			`"" "a.js" "bg.png" "c.png" "f.html" "f.woff2" "i.png" "img/x.png" "j.png" "k.png" "l.png" "o.svg" "p.png" "r.html" "s.css" "t.css" "u.css" "v.mp4"`},
		{"base", map[string]string{"": `<base href="/sub/"><base href="/no/"><a href="x.html">`}, `"" "sub/x.html"`},
		{"not files", map[string]string{"": `<a href="mailto:a@b.example"><a href="javascript:x()"><img src="data:image/png;base64,AA"><a href="#top"><a href=""><a href="tel:1"><form action="search">`}, `""`},
		{"other hosts", map[string]string{"": `<a href="https://other.example/x"><a href="//other.example/y"><a href="OWN/abs.html"><a href="https://main.example/main.html">`}, `"" "abs.html" "main.html"`},
		{"escapes", map[string]string{"": `<a href="%E6%96%87%20.html"><a href="文 .html"><a href="a&amp;b"><a href="a%26b"><a href="x%2Fy"><a href="%2e%2e/up"><a href="%zz">`}, `"" "a&b" "文 .html"`},
		{"queries", map[string]string{"": `<a href="?page=2"><a href="list?sort=a"><link rel=stylesheet href="s.css?v=3">`}, `"" "s.css"`},
		{"a redirect", map[string]string{"": `<a href="to">`, "to": "LOCATION /there.html"}, `"" "there.html" "to"`},
		{"loops", map[string]string{"": `<a href="a"><a href="/">`, "a": `<a href="b"><a href="a">`, "b": `<a href="a"><a href="/">`}, `"" "a" "b"`},
		{"no HTML", map[string]string{"": `<a href="feed.xml"><a href="notes.txt">`, "feed.xml": `<a href="hidden">`, "notes.txt": `<a href="hidden">`}, `"" "feed.xml" "notes.txt"`},
		{"GBK", map[string]string{"": "<meta charset=GBK><a href='\xce\xc4\xd5\xc2.html'>"}, `"" "文章.html"`},
		{"Latin-1 of the header", map[string]string{"": "<a href=l/>", "l/": "CHARSET ISO-8859-1 <a href='caf\xe9.html'>"}, `"" "l/" "l/café.html"`},
		{"a mark before the header", map[string]string{"": "CHARSET ISO-8859-1 \ufeff<a href='é.html'>"}, `"" "é.html"`},
		{"UTF-16", map[string]string{"": "\xfe\xff\x00<\x00a\x00 \x00h\x00r\x00e\x00f\x00=\x00x\x00>"}, `"" "x"`},
		{"an XML declaration", map[string]string{"": "<?xml version='1.0' encoding='Shift_JIS'?><html><a href='\x93\xfa.html'>"}, `"" "日.html"`},
		{"UTF-8 that nothing declares, far down", map[string]string{"": strings.Repeat(" ", 5000) + "<a href='文.html'>"}, `"" "文.html"`},
		{"a style sheet's encoding", map[string]string{"": "<link rel=stylesheet href=s.css>", "s.css": "@charset \"GBK\"; a{background:url(\xce\xc4.png)}"}, `"" "s.css" "文.png"`},
		{"in comments and scripts", map[string]string{"": `<!-- <a href="c"> --><script>"<a href='s'>"</script><textarea><a href="t"></textarea><a href="x">`}, `"" "x"`},
	} {
		main, _ := url.Parse("https://main.example/")
		got, err := pages.Crawl(t.Context(), crawled(t, c.texts), pages.Listing{Bases: []*url.URL{main}})
		if err != nil || quoted(got.Paths) != c.want || len(got.Notes) != 0 {
			t.Errorf("%s:\ngot  %s, %v, %q\nwant %s", c.name, quoted(got.Paths), err, got.Notes, c.want)
		}
	}
}

// crawled is siteOf with redirects: a text may be LOCATION and where to.
func crawled(t *testing.T, texts map[string]string) *origin.Client {
	t.Helper()
	var own string
	own = serve(t, func(w http.ResponseWriter, r *http.Request) {
		text, ok := texts[strings.TrimPrefix(r.URL.Path, "/")]
		to, redirects := strings.CutPrefix(text, "LOCATION ")
		switch {
		case !ok:
			http.NotFound(w, r)
		case redirects:
			http.Redirect(w, r, to, http.StatusMovedPermanently)
		default:
			w.Header().Set("Content-Type", contentType(&text, r.URL.Path))
			io.WriteString(w, strings.ReplaceAll(text, "OWN", own))
		}
	})
	return client(t, own, origin.Options{Concurrency: 4})
}

// contentType is that of a text, which may begin with CHARSET and the encoding that the header names;
// HTML that has bytes above ASCII names none else.
func contentType(text *string, path string) string {
	if rest, ok := strings.CutPrefix(*text, "CHARSET "); ok {
		label, body, _ := strings.Cut(rest, " ")
		*text = body
		return "text/html; charset=" + label
	}
	if mediaType, _, _ := strings.Cut(typeOf(path), ";"); !utf8.ValidString(*text) || strings.Contains(*text, "<?xml") || strings.HasPrefix(*text, " ") {
		return mediaType
	}
	return typeOf(path)
}

func TestCrawlCountsQueries(t *testing.T) {
	got, err := pages.Crawl(t.Context(), crawled(t, map[string]string{"": `<a href="?page=2"><a href="?page=2"><a href="?page=3">`}), pages.Listing{})
	if err != nil || got.Queries != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestCrawlEndsInACalendar follows links that never end, each to a next month, and pages
// that have ever more links.
func TestCrawlEndsInACalendar(t *testing.T) {
	calendar := func(each int) *origin.Client {
		return client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for i := range each {
				fmt.Fprintf(w, `<a href="%s%d/">next</a>`, r.URL.Path, i)
			}
		}), origin.Options{Concurrency: 4})
	}
	got, err := pages.Crawl(t.Context(), calendar(3), pages.Listing{MaxPages: 100})
	if err != nil || len(got.Paths) != 100 || !strings.Contains(strings.Join(got.Notes, " "), "the crawl ended after 100 pages") {
		t.Errorf("got %d pages, %q, %v", len(got.Paths), got.Notes, err)
	}
	got, err = pages.Crawl(t.Context(), calendar(1), pages.Listing{})
	if err != nil || len(got.Paths) > 510 || !strings.Contains(strings.Join(got.Notes, " "), "500 deep") {
		t.Errorf("got %d pages, %q, %v", len(got.Paths), got.Notes, err)
	}
}

func TestCrawlNeedsAHomePage(t *testing.T) {
	c := client(t, serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), origin.Options{})
	if _, err := pages.Crawl(t.Context(), c, pages.Listing{}); err == nil || !strings.Contains(err.Error(), "the home page") {
		t.Errorf("got %v", err)
	}
}
