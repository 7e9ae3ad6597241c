package origin

import (
	"strings"
	"testing"
	"time"
)

// mixed are texts and how many http:// resources each embeds.
var mixed = map[string]int{
	`<p>no scheme at all</p>`:                                                0,
	`<a href="http://a.example/">x</a> http://a.example/x.png`:               0,
	`<img src="https://a.example/x.png">`:                                    0,
	`<img src="http://a.example/x.png">`:                                     1,
	`<IMG ALT='a' SRC='http://a.example/x.png'/>`:                            1,
	`<script src=http://a.example/x.js></script>`:                            1,
	`<img srcset="http://a.example/x.png 1x, http://a.example/y.png 2x, z">`: 2,
	`<link rel="stylesheet" href="http://a.example/x.css">`:                  1,
	`<link href="http://a.example/x.ico" rel="shortcut icon">`:               1,
	`<link rel="canonical" href="http://a.example/">`:                        0,
	`<form action="http://a.example/"><button formaction="http://b/">`:       2,
	`<video poster="http://a.example/p.png" src="http://a.example/v.mp4">`:   2,
	`<object data="http://a.example/x.svg"></object>`:                        1,
	`<p style="background: url(http://a.example/x.png)">`:                    1,
	`<style>b{background:url('http://a.example/x.png')}</style>`:             1,
	`<style>@import "http://a.example/x.css";</style><p>url(http://x)`:       1,
	`<code>url(http://a.example/x.png)</code>`:                               0,
	`<img data-src="http://a.example/x.png">`:                                0,
	`<svg xmlns="http://www.w3.org/2000/svg"><image href="http://a/x.png">`:  1,
	`<img src="http://a.example/x.png"`:                                      0,
	`<img src=http://`:                                                       0,
}

// TestMixedContent counts in pages that come in two parts, cut at every byte, and in parts
// of a few bytes, beside much other text.
func TestMixedContent(t *testing.T) {
	for text, want := range mixed {
		for _, before := range []string{"", "<p>" + strings.Repeat("much text ", maxTag/8)} {
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

func count(parts ...string) int {
	s := &scanner{}
	for _, part := range parts {
		_, _ = s.Write([]byte(part)) // never fails
	}
	return s.found
}

// TestMixedContentIsBounded has pages made to be slow to look at.
func TestMixedContentIsBounded(t *testing.T) {
	const slow = 2 * time.Minute // a tenth of a second, unless it grows with the square of the page
	for _, part := range []string{"http://", "<", "<img src=http://", "<a http://>", "<style>url(http://", "<img src='http://x'>", "<img srcset='" + strings.Repeat("http://a,", 800) + "'>"} {
		page := strings.Repeat(part, 4<<20/len(part))
		began := time.Now()
		s := &scanner{}
		for ; page != ""; page = page[min(len(page), 16<<10):] {
			_, _ = s.Write([]byte(page[:min(len(page), 16<<10)])) // never fails
		}
		if took := time.Since(began); took > slow || s.found > 2*maxSeen || cap(s.held) > 64<<10 {
			t.Errorf("%.20s: took %s, found %d, holds %d", part, took, s.found, cap(s.held))
		}
	}
}

// BenchmarkMixedContent scans a page with many links and nothing embedded.
func BenchmarkMixedContent(b *testing.B) {
	page := []byte(strings.Repeat(`<li><a href="https://a.example/page.html">a page</a> and some text beside it`, 110))
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		s := scanner{}
		_, _ = s.Write(page) // never fails
	}
}
