package diff

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Injection reports whether live is the page ours with nothing but something put in, as CDNs
// and access providers do: scripts, styles, comments, pixels, attributes. It names what was
// put in.
func Injection(ours, live []byte) (inserted []string, ok bool) {
	a := aligner{ours: partsOf(ours), live: partsOf(live)}
	for a.step() {
	}
	return a.inserted, !a.failed && len(a.ours) == 0 && len(a.inserted) > 0
}

// part is a piece of a page: a text, a comment, a tag, or an element whose content is no
// markup, such as a script, as a whole.
type part struct {
	kind  html.TokenType
	name  string // of a tag
	attrs map[string]string
	text  string // of a text or a comment, or an element's content
	whole bool   // an element with its content
}

func (p part) equal(q part) bool {
	return p.kind == q.kind && p.name == q.name && p.text == q.text && p.whole == q.whole && maps.Equal(p.attrs, q.attrs)
}

// partsOf takes a page apart.
func partsOf(page []byte) []part {
	z := html.NewTokenizer(bytes.NewReader(page))
	var parts []part
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return parts
		}
		t := z.Token()
		p := part{kind: kind}
		switch kind {
		case html.TextToken, html.CommentToken, html.DoctypeToken:
			p.text = t.Data
		default:
			p.name, p.attrs = t.Data, map[string]string{}
			for _, at := range t.Attr {
				p.attrs[at.Key] = at.Val
			}
		}
		if last := len(parts) - 1; last >= 0 && parts[last].open() {
			if kind == html.TextToken {
				parts[last].text += p.text
				continue
			}
			parts[last].whole = true
			if kind == html.EndTagToken && p.name == parts[last].name {
				continue
			}
		}
		parts = append(parts, p)
	}
}

// open reports whether the content of an element is still to come.
func (p part) open() bool { return p.kind == html.StartTagToken && !p.whole && isRaw(p.name) }

// isRaw reports whether an element's content is no markup (HTML, section 13.2.5).
func isRaw(name string) bool {
	switch name {
	case "script", "style", "noscript", "iframe", "textarea", "title", "xmp", "noembed", "noframes":
		return true
	}
	return false
}

// aligner goes along both pages.
type aligner struct {
	ours, live []part
	inserted   []string
	failed     bool
}

// step takes the next part of the live page and reports whether there may be more.
func (a *aligner) step() bool {
	if len(a.live) == 0 {
		return false
	}
	next := a.live[0]
	switch {
	case len(a.ours) > 0 && a.ours[0].equal(next):
		a.ours = a.ours[1:]
	case len(a.ours) > 0 && a.sameText(next):
	case len(a.ours) > 0 && a.moreAttributes(next):
		a.ours = a.ours[1:]
	case insertable(next):
		a.note(describe(next))
	default:
		a.failed = true
		return false
	}
	a.live = a.live[1:]
	return true
}

// sameText takes a text that something was put into the middle of.
func (a *aligner) sameText(next part) bool {
	if next.kind != html.TextToken || a.ours[0].kind != html.TextToken {
		return false
	}
	ours, live := a.ours[0].text, next.text
	switch {
	case live != "" && strings.HasPrefix(ours, live):
		a.ours[0].text = ours[len(live):]
		return true
	case strings.HasPrefix(live, ours) && strings.TrimSpace(live[len(ours):]) == "":
		a.ours = a.ours[1:]
		return true
	}
	return false
}

// moreAttributes takes a tag that attributes were added to.
func (a *aligner) moreAttributes(next part) bool {
	ours := a.ours[0]
	if ours.kind != next.kind || ours.name != next.name || ours.text != next.text || len(next.attrs) <= len(ours.attrs) {
		return false
	}
	for key, value := range ours.attrs {
		if got, ok := next.attrs[key]; !ok || got != value {
			return false
		}
	}
	for _, key := range slices.Sorted(maps.Keys(next.attrs)) {
		if _, had := ours.attrs[key]; !had {
			a.note(fmt.Sprintf("attribute %s of <%s>", key, next.name))
		}
	}
	return true
}

// maxInsertions is how many insertions are named.
const maxInsertions = 5

func (a *aligner) note(what string) {
	if len(a.inserted) < maxInsertions && !slices.Contains(a.inserted, what) {
		a.inserted = append(a.inserted, what)
	}
}

// insertable reports whether a part is what is put into other people's pages.
func insertable(p part) bool {
	switch p.kind {
	case html.CommentToken:
		return true
	case html.TextToken:
		return strings.TrimSpace(p.text) == ""
	case html.StartTagToken, html.SelfClosingTagToken:
		switch p.name {
		case "script", "style", "noscript", "iframe", "link", "meta", "img":
			return true
		}
	}
	return false
}

// maxName bounds what is quoted of an insertion, in bytes.
const maxName = 80

func describe(p part) string {
	text := "white space"
	switch {
	case p.kind == html.CommentToken:
		text = "comment " + strings.TrimSpace(p.text)
	case p.name != "":
		text = "<" + p.name + ">"
		for _, key := range []string{"src", "href"} {
			if p.attrs[key] != "" {
				text += " " + p.attrs[key]
			}
		}
	}
	if len(text) > maxName {
		text = text[:maxName] + "…"
	}
	return strings.ToValidUTF8(text, "")
}
