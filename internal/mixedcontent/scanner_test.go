package mixedcontent

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// mixed are texts and how many http:// resources each embeds.
var mixed = map[string]int{
	`<p>no scheme at all</p>`:                                                                                   0,
	`<a href="http://a.example/">x</a> http://a.example/x.png`:                                                  0,
	`<img src="https://a.example/x.png">`:                                                                       0,
	`<img src="http://a.example/x.png">`:                                                                        1,
	`<IMG ALT='a' SRC='http://a.example/x.png'/>`:                                                               1,
	`<script src=http://a.example/x.js></script>`:                                                               1,
	`<img srcset="http://a.example/x.png 1x, http://a.example/y.png 2x, z">`:                                    2,
	`<link rel="stylesheet" href="http://a.example/x.css">`:                                                     1,
	`<link href="http://a.example/x.ico" rel="shortcut icon">`:                                                  1,
	`<link rel="canonical" href="http://a.example/">`:                                                           0,
	`<form action="http://a.example/"><button formaction="http://b/">`:                                          2,
	`<video poster="http://a.example/p.png" src="http://a.example/v.mp4">`:                                      2,
	`<object data="http://a.example/x.svg"></object>`:                                                           1,
	`<p style="background: url(http://a.example/x.png)">`:                                                       1,
	`<style>b{background:url('http://a.example/x.png')}</style>`:                                                1,
	`<style>@import "http://a.example/x.css";</style><p>url(http://x)`:                                          1,
	`<code>url(http://a.example/x.png)</code>`:                                                                  0,
	`<img data-src="http://a.example/x.png">`:                                                                   0,
	`<svg xmlns="http://www.w3.org/2000/svg"><image href="http://a/x.png">`:                                     1,
	`<img src="http://a.example/x.png"`:                                                                         0,
	`<img src=http://`:                                                                                          0,
	`<img alt="a > b" src="http://a.example/x.png">`:                                                            1,
	`<img alt="it's" title='>' src=http://a.example/x.png>`:                                                     1,
	`<p title="it's">'<img src="HTTP://a.example/x.png">`:                                                       1,
	`<!-- <img src="http://a.example/x.png"> -->`:                                                               0,
	`<!--[if lt IE 9]><script src="http://a.example/x.js"></script><![endif]--><img src="http://a/x">`:          1,
	`<!--><img src="http://a/x.png"><!-- > <img src="http://a/y.png">-->`:                                       1,
	`<!doctype html PUBLIC "-//W3C//DTD" "http://www.w3.org/TR"><img src="http://a/x.png">`:                     1,
	`<script>w('<img src="http://a/x.png">')</script><img src="http://a/y">`:                                    1,
	`<SCRIPT>if (a</b/) w('</scriptx><img src="http://a/x.png">')</Script ><img src="http://a/y">`:              1,
	`<textarea><img src="http://a/x.png"></textarea><title><img src="http://a/x.png"></title>`:                  0,
	`<base href="http://a.example/"><a href="b">`:                                                               1,
	`<meta http-equiv="Content-Security-Policy" content="upgrade-insecure-requests"><img src="http://a/x.png">`: 0,
	`<style>/* url(http://a/x.png) */ b{background:URL( "http://a/y.png" )} c{content:"http://a/z"}</style>`:    1,
	`<style>a<b{}</styl>c{background:url(http://a/y.png)}</style>url(http://a/z.png)`:                           1,
	`<div style="background:url('http://a/x.png');color:red" src="http://a/y">`:                                 1,
	`a < b <img src="http://a.example/x.png">`:                                                                  1,
	`<svg><use xlink:href="http://a/x.svg#i"></use></svg>`:                                                      1,
}

// TestMixedContent counts in pages that come in two parts, cut at every byte, and in parts
// of a few bytes, beside much other text.
func TestMixedContent(t *testing.T) {
	for text, want := range mixed {
		for _, before := range []string{"", "<p>" + strings.Repeat("much text ", 20)} {
			page := before + text
			for cut := len(before); cut <= len(page); cut++ {
				if got := count(page[:cut], page[cut:]); got != want {
					t.Errorf("%s after %d, cut at %d: got %d, want %d", text, len(before), cut-len(before), got, want)
				}
			}
			var parts []string
			for rest := page; rest != ""; rest = rest[min(len(rest), 5):] {
				parts = append(parts, rest[:min(len(rest), 5)])
			}
			if got := count(parts...); got != want {
				t.Errorf("%s after %d, in fives: got %d, want %d", text, len(before), got, want)
			}
		}
	}
}

func count(parts ...string) int { return scan(&Scanner{}, parts...).Count }

func scan(s *Scanner, parts ...string) Found {
	for _, part := range parts {
		_, _ = s.Write([]byte(part)) // never fails
	}
	return s.Found()
}

// sheets are style sheets and how many http:// resources each loads.
var sheets = map[string]int{
	`a{background:url(http://a.example/x.png)}`:                                             1,
	`@import "http://a.example/x.css"; @import url(http://a/b.css);`:                        2,
	`/* url(http://a/x.png) /* */ b{c:url(http://a/y.png)}`:                                 1,
	`b{c:url(http://a/*.png)} d{e:url('http://a/y.png')} */`:                                2,
	`a{background:url(https://a.example/x.png)}`:                                            0,
	`@namespace svg "http://www.w3.org/2000/svg"; a{content:"http://a"}`:                    0,
	`a{background:url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E")}`: 0,
}

func TestStyleSheets(t *testing.T) {
	s := &Scanner{}
	for text, want := range sheets {
		for cut := range len(text) + 1 {
			s.Reset(true)
			if got := scan(s, text[:cut], text[cut:]).Count; got != want {
				t.Errorf("%s cut at %d: got %d, want %d", text, cut, got, want)
			}
		}
	}
}

// TestWhatIsActive tells what browsers block from what they may show all the same.
func TestWhatIsActive(t *testing.T) {
	got := scan(&Scanner{}, `<img src="http://a/1.png"><img src="http://a/2.png"><img src="http://a/3.png"><script src="http://a/4.js"></script>`+
		`<style>@font-face{src:url(http://a/5.woff2?v=1)}</style><link rel="icon" href="http://a/6.ico"><iframe src="http://a/`+strings.Repeat("7", 300)+`"></iframe>`)
	want := Found{7, 3, []Resource{{"script", "http://a/4.js", true}, {"css", "http://a/5.woff2?v=1", true}, {"iframe", "http://a/" + strings.Repeat("7", 191), true}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// TestMixedContentIsBounded has pages made to be slow to look at.
func TestMixedContentIsBounded(t *testing.T) {
	const slow = 2 * time.Minute // a tenth of a second, unless it grows with the square of the page
	for _, part := range []string{"http://", "<", "<img src=http://", "<a http://>", "<style>url(http://", "<!--", "<!-- >", "<style>/*", "</script", "<script></", "<style></", "<img src='http://x'>", "<img srcset='" + strings.Repeat("http://a,", 800) + "'>"} {
		page := strings.Repeat(part, 1<<20/len(part))
		began := time.Now()
		s := &Scanner{}
		for ; page != ""; page = page[min(len(page), 16<<10):] {
			_, _ = s.Write([]byte(page[:min(len(page), 16<<10)])) // never fails
		}
		if took := time.Since(began); took > slow || s.found.Count > 4*maxSeen || cap(s.held) > 64<<10 || cap(s.css.held) > 64<<10 {
			t.Errorf("%.20s: took %s, found %d, holds %d", part, took, s.found.Count, cap(s.held)+cap(s.css.held))
		}
	}
}

// BenchmarkMixedContent scans a page with many links and nothing embedded.
func BenchmarkMixedContent(b *testing.B) {
	page := []byte(strings.Repeat(`<li><a href="https://a.example/page.html">a page</a> and some text beside it`, 110))
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		s := Scanner{}
		_, _ = s.Write(page) // never fails
	}
}
