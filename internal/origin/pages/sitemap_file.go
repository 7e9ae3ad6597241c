package pages

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"mirror/site"
)

// What the protocol allows one file (sitemaps.org, "Sitemap file limits").
const (
	maxSitemapURLs  = 50_000
	maxSitemapBytes = 50 << 20
)

// sitemap is one sitemap file.
type sitemap struct {
	pages    []string // URLs as written
	sitemaps []string // of an index
	cut      bool     // it names more than maxSitemapURLs
}

var errNotASitemap = errors.New("this is no sitemap")

// Bounds of what hostile XML may cost: the decoder keeps one token and the open elements.
const (
	maxToken   = 64 << 10
	maxNesting = 32
)

// parse reads a sitemap as XML or as text with a URL on each line; either may be gzip.
func (s *sitemap) parse(r io.Reader) error {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("the sitemap is no gzip: %w", err)
		}
		in = bufio.NewReader(&limited{r: z, left: maxSitemapBytes})
	}
	head, _ := in.Peek(512)
	head = bytes.TrimLeft(head, "\ufeff \t\r\n")
	if len(head) > 0 && head[0] == '<' {
		return s.parseXML(in)
	}
	return s.parseText(in)
}

// limited is a reader that fails when there is more to read than allowed.
type limited struct {
	r    io.Reader
	left int64
}

// Read gives site.ErrTooLong once more was read than is left.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, site.ErrTooLong
	}
	return n, err
}

// parseText reads a URL a line. What is no URL makes it no sitemap: servers answer
// with their not-found page, and a status of 200.
func (s *sitemap) parseText(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" {
			continue
		}
		if u, err := url.Parse(line); err != nil || u.Host == "" {
			return errNotASitemap
		}
		if !s.add(&s.pages, line) {
			return errEnough
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(s.pages) == 0 {
		return errNotASitemap
	}
	return nil
}

// parseXML reads urlset and sitemapindex. Namespaces are not looked at: generators get
// them wrong.
func (s *sitemap) parseXML(r io.Reader) error {
	d := xml.NewDecoder(&tokenBound{r: r})
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // URLs are ASCII
	var open []string
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			break
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			open = append(open, t.Name.Local)
			if len(open) > maxNesting || open[0] != "urlset" && open[0] != "sitemapindex" {
				return errNotASitemap
			}
			text.Reset()
			s.alternate(open, t)
		case xml.CharData:
			if len(open) == 3 && open[2] == "loc" && text.Len() < maxToken {
				text.Write(t)
			}
		case xml.EndElement:
			if !s.end(open, strings.TrimSpace(text.String())) {
				return errEnough
			}
			open = open[:len(open)-1]
			text.Reset()
		}
	}
	if d.InputOffset() == 0 {
		return errNotASitemap
	}
	return nil
}

// alternate takes in a page's versions in other languages (xhtml:link).
func (s *sitemap) alternate(open []string, t xml.StartElement) {
	if len(open) != 3 || open[1] != "url" || t.Name.Local != "link" {
		return
	}
	for _, a := range t.Attr {
		if a.Name.Local == "href" {
			s.add(&s.pages, strings.TrimSpace(a.Value))
		}
	}
}

// end takes in the location that an element has ended; false where there are enough.
func (s *sitemap) end(open []string, text string) bool {
	if len(open) != 3 || open[2] != "loc" || text == "" {
		return true
	}
	switch {
	case open[0] == "sitemapindex" && open[1] == "sitemap":
		return s.add(&s.sitemaps, text)
	case open[0] == "urlset" && open[1] == "url":
		return s.add(&s.pages, text)
	}
	return true
}

func (s *sitemap) add(to *[]string, location string) bool {
	if len(*to) >= maxSitemapURLs {
		s.cut = true
		return false
	}
	*to = append(*to, location)
	return true
}

// tokenBound ends a stream of markup in which one token is longer than maxToken.
type tokenBound struct {
	r   io.Reader
	run int // bytes since the last < or >
}

// Read gives site.ErrTooLong once a token is longer than maxToken.
func (t *tokenBound) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	for rest := p[:n]; ; {
		i := bytes.IndexAny(rest, "<>")
		if i < 0 {
			t.run += len(rest)
			break
		}
		if t.run+i > maxToken {
			return 0, fmt.Errorf("a token of the XML: %w", site.ErrTooLong)
		}
		t.run, rest = 0, rest[i+1:]
	}
	if t.run > maxToken {
		return 0, fmt.Errorf("a token of the XML: %w", site.ErrTooLong)
	}
	return n, err
}
