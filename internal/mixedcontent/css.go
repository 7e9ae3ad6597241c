package mixedcontent

import (
	"bytes"
	"path"
	"strings"
)

const scheme = "http://"

// What of a style sheet is kept for the next piece: before a URL, and of a URL that is not whole.
const (
	cssBefore = 64
	cssURL    = 2 << 10
)

// css finds what a style sheet loads, while it streams through.
type css struct {
	found   *Found
	held    []byte // the end of what was seen
	comment bool   // what comes is within a comment
}

func (c *css) reset() { c.held, c.comment = c.held[:0], false }

func (c *css) write(p []byte) {
	text := p
	if len(c.held) > 0 {
		c.held = append(c.held, p...)
		text = c.held
	}
	from := c.scan(text)
	c.held = append(c.held[:0], text[from:]...)
}

// scan looks at what is whole, and returns from where on the text is needed again.
func (c *css) scan(text []byte) int {
	from := 0
	url, open := find(text, scheme, 0), find(text, "/*", 0)
	for from < len(text) {
		if c.comment {
			end := find(text, "*/", from)
			if end == len(text) {
				return max(from, len(text)-1)
			}
			c.comment, from = false, end+2
		}
		if url < from {
			url = find(text, scheme, from)
		}
		if open < from {
			open = find(text, "/*", from)
		}
		switch {
		case url == len(text) && open == len(text):
			return max(from, len(text)-cssBefore)
		case open < url:
			c.comment, from = true, open+2
		default:
			end := bytes.IndexAny(text[url:min(len(text), url+cssURL)], "\"')\n\r\t ;}")
			if end < 0 && len(text)-url < cssURL {
				return max(from, url-cssBefore)
			}
			if end < 0 {
				end = cssURL
			}
			c.loads(text[max(from, url-cssBefore):url], string(text[url:url+end]))
			from = url + end
		}
	}
	return len(text)
}

// find returns where the next of what is looked for begins, the text's length if there is none.
func find(text []byte, what string, from int) int {
	if i := bytes.Index(text[from:], []byte(what)); i >= 0 {
		return from + i
	}
	return len(text)
}

// loads counts a URL if what comes before it has the style sheet load it.
func (c *css) loads(before []byte, url string) {
	text := strings.ToLower(string(bytes.TrimRight(before, "\"' \t\r\n")))
	rest, isURL := strings.CutSuffix(text, "url(")
	imports := strings.HasSuffix(strings.TrimRight(rest, " \t\r\n"), "@import")
	if isURL || imports {
		c.found.add("css", url, imports || isFont(url))
	}
}

// isFont reports whether a URL is of a font, which browsers block as they block scripts.
func isFont(url string) bool {
	url, _, _ = strings.Cut(url, "?")
	url, _, _ = strings.Cut(url, "#")
	switch strings.ToLower(path.Ext(url)) {
	case ".woff", ".woff2", ".ttf", ".otf", ".eot":
		return true
	}
	return false
}
