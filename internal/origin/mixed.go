package origin

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// scanner counts the http:// resources that a page embeds, while the page streams through
// it. It looks for a scheme first, and at a tag only where it holds one, so that a page
// without any costs one search. What scripts build, and what looks like a tag in a comment,
// it cannot tell apart.
type scanner struct {
	found int
	style bool   // within a style element
	held  []byte // a tag whose end has not come yet, or the start of a scheme
}

const (
	scheme  = "http://"
	maxTag  = 8 << 10 // a longer tag is let go
	tail    = 64      // where a scheme, and what comes before it in a style sheet, may be cut
	maxSeen = 1000    // of a page; there is no need to count on
)

func (s *scanner) reset() { s.found, s.style, s.held = 0, false, s.held[:0] }

// Write scans the next piece of a page. It never fails.
func (s *scanner) Write(p []byte) (int, error) {
	if s.found >= maxSeen {
		return len(p), nil
	}
	text := p
	if len(s.held) > 0 {
		s.held = append(s.held, p...)
		text = s.held
	}
	from := s.scan(text)
	s.held = append(s.held[:0], text[max(from, len(text)-maxTag):]...)
	return len(p), nil
}

// scan looks at whatever is whole and returns where what it cannot judge yet begins.
func (s *scanner) scan(text []byte) (from int) {
	for {
		i := bytes.Index(text[from:], []byte(scheme))
		if i < 0 {
			from, open := s.lastTag(text, from, len(text))
			if open {
				return from
			}
			return max(from, len(text)-tail)
		}
		at := from + i
		start, open := s.lastTag(text, from, at)
		end := at + len(scheme)
		if open {
			length := bytes.IndexByte(text[at:], '>')
			if length < 0 {
				return start
			}
			end = at + length + 1
			s.tag(text[start:end])
		} else if s.style && isCSS(text[:at]) {
			s.found++
		}
		from = end
	}
}

// lastTag returns where the last tag within text[from:to] begins, from if there is none,
// and whether it is open at to. It keeps note of style elements.
func (s *scanner) lastTag(text []byte, from, to int) (start int, open bool) {
	i := bytes.LastIndexByte(text[from:to], '<')
	if i < 0 {
		return from, false
	}
	start = from + i
	s.style = hasPrefixFold(text[start:], "<style")
	return start, bytes.IndexByte(text[start:to], '>') < 0
}

func hasPrefixFold(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(string(text[:len(prefix)]), prefix)
}

// isCSS reports whether what follows is something that a style sheet loads.
func isCSS(before []byte) bool {
	before = bytes.TrimRight(before, "\"' \t\n")
	return bytes.HasSuffix(before, []byte("url(")) || bytes.HasSuffix(before, []byte("@import"))
}

// tag counts what a tag loads over http.
func (s *scanner) tag(text []byte) {
	if hasPrefixFold(text, "<a ") {
		return
	}
	z := html.NewTokenizer(bytes.NewReader(text))
	if t := z.Next(); t != html.StartTagToken && t != html.SelfClosingTagToken {
		return
	}
	token := z.Token()
	s.style = token.Data == "style"
	rel := ""
	for _, a := range token.Attr {
		if a.Key == "rel" {
			rel = a.Val
		}
	}
	for _, a := range token.Attr {
		s.found += embeds(token.Data, rel, a)
	}
}

// embeds returns how many http:// resources an attribute has the page load, or send to.
func embeds(tag, rel string, a html.Attribute) int {
	value := strings.TrimSpace(a.Val)
	switch a.Key {
	case "srcset", "imagesrcset":
		n := 0
		for candidate := range strings.SplitSeq(value, ",") {
			n += isInsecure(strings.TrimSpace(candidate))
		}
		return n
	case "style":
		return strings.Count(value, "url("+scheme) + strings.Count(value, "url('"+scheme) + strings.Count(value, `url("`+scheme)
	case "href":
		if tag == "link" && loads(rel) || tag == "image" || tag == "use" {
			return isInsecure(value)
		}
	case "src", "poster", "action", "formaction", "background":
		return isInsecure(value)
	case "data":
		if tag == "object" {
			return isInsecure(value)
		}
	}
	return 0
}

func isInsecure(url string) int {
	if hasPrefixFold([]byte(url), scheme) {
		return 1
	}
	return 0
}

// loads reports whether a browser loads what a link of such a relation leads to.
func loads(rel string) bool {
	for word := range strings.FieldsSeq(strings.ToLower(rel)) {
		switch word {
		case "stylesheet", "icon", "apple-touch-icon", "preload", "modulepreload", "prefetch", "manifest":
			return true
		}
	}
	return false
}
