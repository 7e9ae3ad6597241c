package sitemap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html/charset"

	"mirror/site"
)

// xmlSitemap reads one sitemap of XML.
type xmlSitemap struct {
	*File
	decoder *xml.Decoder
	open    []string // elements
	text    strings.Builder
	ended   bool // the root element was closed
}

// parseXML reads urlset and sitemapindex, and the feeds that search engines take for sitemaps (RSS
// and Atom). Namespaces are not looked at: generators get them wrong. An error names the line.
func (s *File) parseXML(r io.Reader) error {
	d := xml.NewDecoder(&tokenBound{r: r})
	d.CharsetReader = fromCharset
	x := &xmlSitemap{File: s, decoder: d}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && x.ended {
			return nil
		}
		if err == nil {
			err = x.token(token)
		}
		if err != nil {
			return x.explain(err)
		}
	}
}

// fromCharset reads a file in the encoding that it declares. A file whose declaration could be read
// byte by byte is not UTF-16, whatever it says.
func fromCharset(label string, in io.Reader) (io.Reader, error) {
	if lower := strings.ToLower(label); strings.HasPrefix(lower, "utf-16") || strings.HasPrefix(lower, "ucs-2") || strings.HasPrefix(lower, "utf-32") {
		return nil, fmt.Errorf("the file says that it is %s, and is not", shortened(label))
	}
	return charset.NewReaderLabel(label, in)
}

func (x *xmlSitemap) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return x.start(t)
	case xml.EndElement:
		if !x.end(strings.TrimSpace(x.text.String())) {
			return errEnough
		}
		x.open = x.open[:len(x.open)-1]
		x.ended = len(x.open) == 0
		x.text.Reset()
	case xml.CharData:
		switch {
		case x.ended && len(bytes.TrimSpace(t)) > 0:
			return errors.New("there is text behind the end of the list")
		case x.isLocation() && x.text.Len() < maxToken:
			x.text.Write(t)
		}
	}
	return nil
}

// isRoot reports whether a root element is of what is read.
func isRoot(name string) bool {
	return name == "urlset" || name == "sitemapindex" || name == "rss" || name == "feed"
}

func (x *xmlSitemap) start(t xml.StartElement) error {
	switch {
	case x.ended:
		return fmt.Errorf("there is a second root element, <%s>", shortened(t.Name.Local))
	case len(x.open) == 0 && !isRoot(t.Name.Local):
		return ErrNotASitemap
	case len(x.open) >= maxNesting:
		return fmt.Errorf("elements are within each other deeper than %d: %w", maxNesting, ErrNotASitemap)
	}
	x.open = append(x.open, t.Name.Local)
	x.text.Reset()
	if x.is("urlset", "url", "link") || x.is("feed", "entry", "link") {
		x.link(t)
	}
	return nil
}

// link takes in a page's versions in other languages (xhtml:link), or the page of an Atom entry.
func (x *xmlSitemap) link(t xml.StartElement) {
	rel, href := "", ""
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "rel":
			rel = a.Value
		case "href":
			href = strings.TrimSpace(a.Value)
		}
	}
	if href != "" && (rel == "" || rel == "alternate") {
		x.add(&x.Pages, href) // where there are enough, the next location says so
	}
}

// isLocation reports whether the text of the open element is a URL.
func (x *xmlSitemap) isLocation() bool {
	return x.is("urlset", "url", "loc") || x.is("sitemapindex", "sitemap", "loc") || x.is("rss", "channel", "item", "link")
}

func (x *xmlSitemap) is(names ...string) bool {
	if len(x.open) != len(names) {
		return false
	}
	for i, name := range names {
		if x.open[i] != name {
			return false
		}
	}
	return true
}

// end takes in the location that an element has ended; false where there are enough.
func (x *xmlSitemap) end(text string) bool {
	switch {
	case text == "" || !x.isLocation():
		return true
	case x.open[0] == "sitemapindex":
		return x.add(&x.Sitemaps, text)
	}
	return x.add(&x.Pages, text)
}

// explain says on which line of the file reading ended.
func (x *xmlSitemap) explain(err error) error {
	if errors.Is(err, errEnough) {
		return err
	}
	line, _ := x.decoder.InputPos()
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		line = syntax.Line
		err = errors.New(meaning(syntax.Msg))
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the file ends before the list does")
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// meaning puts what the decoder says in the words of the one who writes the file.
func meaning(message string) string {
	switch {
	case message == "unexpected EOF":
		return "the file ends before the list does"
	case strings.HasPrefix(message, "invalid character entity"):
		return message + " (hint: a bare & is written &amp;)"
	case message == "invalid UTF-8":
		return "the text is not UTF-8, which a sitemap has to be"
	}
	return message
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
