package pages

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"mirror/internal/origin/pages/sitemap"
)

// maxLinkedFile bounds a page whose links are followed, in bytes.
const maxLinkedFile = 16 << 20

// maxLinks bounds how many links of one page are taken in.
const maxLinks = 50_000

// linker gathers the links of one page.
type linker struct {
	base  *url.URL
	based bool // a base element was seen: only the first counts
	links *[]*url.URL
}

// linksOfHTML gathers what an HTML page at a URL links to or embeds.
func linksOfHTML(r io.Reader, at *url.URL, links *[]*url.URL) error {
	l := &linker{base: at, links: links}
	z := html.NewTokenizer(r)
	z.SetMaxBuf(maxLinkedFile)
	inStyle := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		case html.TextToken:
			if inStyle {
				l.css(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			inStyle = t.DataAtom == atom.Style
			l.element(t)
		case html.EndTagToken:
			inStyle = false
		}
	}
}

// linksOfCSS gathers what a style sheet at a URL embeds.
func linksOfCSS(r io.Reader, at *url.URL, links *[]*url.URL) error {
	text, err := io.ReadAll(&sitemap.Limited{R: r, Left: maxLinkedFile})
	if err != nil {
		return err
	}
	l := &linker{base: at, links: links}
	l.css(text)
	return nil
}

// element takes in the links of one element.
func (l *linker) element(t html.Token) {
	refresh := false
	for _, a := range t.Attr {
		refresh = refresh || a.Key == "http-equiv" && strings.EqualFold(a.Val, "refresh")
	}
	for _, a := range t.Attr {
		switch a.Key {
		case "href":
			l.href(t.DataAtom, a.Val)
		case "src", "poster", "data", "background":
			if t.DataAtom != atom.Object && a.Key == "data" {
				continue
			}
			l.add(a.Val)
		case "srcset", "imagesrcset":
			l.srcset(a.Val)
		case "style":
			l.css([]byte(a.Val))
		case "content":
			if refresh {
				l.refresh(a.Val)
			}
		}
	}
}

func (l *linker) href(element atom.Atom, value string) {
	if element != atom.Base {
		l.add(value)
		return
	}
	if u, err := l.base.Parse(strings.TrimSpace(value)); err == nil && !l.based {
		l.base, l.based = u, true
	}
}

// refresh takes in where a page leads by itself: "5; url=other.html".
func (l *linker) refresh(value string) {
	_, to, ok := strings.Cut(value, ";")
	to = strings.TrimSpace(to)
	if ok && len(to) > 4 && strings.EqualFold(to[:4], "url=") {
		l.add(strings.Trim(to[4:], `"' `))
	}
}

// srcset takes in the pictures of a list such as "a.png 1x, b.png 2x".
func (l *linker) srcset(value string) {
	for rest := value; ; {
		rest = strings.TrimLeft(rest, ", \t\r\n")
		if rest == "" {
			return
		}
		end := strings.IndexAny(rest, " \t\r\n")
		if end < 0 {
			l.add(strings.TrimRight(rest, ","))
			return
		}
		picture := rest[:end]
		l.add(strings.TrimRight(picture, ","))
		rest = rest[end:]
		if !strings.HasSuffix(picture, ",") { // its width or density
			_, rest, _ = strings.Cut(rest, ",")
		}
	}
}

// cssLink finds url(…) and @import "…".
var cssLink = regexp.MustCompile(`url\(\s*(?:"([^"]*)"|'([^']*)'|([^)'"\s]+))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')`)

func (l *linker) css(text []byte) {
	if !bytes.Contains(text, []byte("url(")) && !bytes.Contains(text, []byte("@import")) {
		return
	}
	for _, m := range cssLink.FindAllSubmatch(text, maxLinks) {
		for _, value := range m[1:] {
			if len(value) > 0 {
				l.add(string(value))
			}
		}
	}
}

// add takes in a link, unless it leads to no file: mailto:, javascript:, data: and their like.
func (l *linker) add(value string) {
	value = strings.TrimSpace(value)
	if value == "" || strings.HasPrefix(value, "#") || len(*l.links) >= maxLinks {
		return
	}
	u, err := l.base.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return
	}
	*l.links = append(*l.links, u)
}
