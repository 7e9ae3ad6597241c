// Package sitemap reads one sitemap file, as sitemaps.org has it or as search engines take it. What it reads
// was made by others, so everything is bounded.
package sitemap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"mirror/site"
)

// What the protocol allows one file (sitemaps.org, "Sitemap file limits"). More URLs are read all
// the same, as far as the bytes go.
const (
	URLs  = 50_000
	Bytes = 50 << 20
)

// MaxURLs bounds the URLs of one file that are read.
const MaxURLs = 1_000_000

// File is what one sitemap file names.
type File struct {
	Pages    []string // URLs as written
	Sitemaps []string // of an index
	Cut      bool     // it names more than MaxURLs, of which no more were read
}

// ErrNotASitemap says that a file is something else: most often a page of HTML that is answered
// with 200 in place of a 404.
var ErrNotASitemap = errors.New("this is no sitemap")

// Bounds of what hostile XML may cost: the decoder keeps one token and the open elements.
const (
	maxToken   = 64 << 10
	maxNesting = 32
)

// errEnough ends the reading of a file that names more than MaxURLs.
var errEnough = errors.New("enough was read")

// Parse reads a sitemap as XML or as text with a URL on each line; either may be gzip. An error names
// the line, where there are lines.
func Parse(r io.Reader) (File, error) {
	var f File
	err := f.parse(r)
	if errors.Is(err, errEnough) {
		return f, nil
	}
	return f, err
}

func (s *File) parse(r io.Reader) error {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("the sitemap is no gzip: %w", err)
		}
		in = bufio.NewReader(&Limited{R: z, Left: Bytes})
	}
	head, err := in.Peek(512)
	if hasUTF16Mark(head) || bytes.IndexByte(head, 0) >= 0 {
		return errors.New("line 1: the file is UTF-16, and a sitemap has to be UTF-8 (sitemaps.org)")
	}
	head = bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n"))
	switch {
	case bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.Contains(head, []byte("<html")):
		return fmt.Errorf("it is a page of HTML: %w", ErrNotASitemap)
	case len(head) > 0 && head[0] == '<':
		return s.parseXML(in)
	case len(head) == 0 && errors.Is(err, io.EOF):
		return fmt.Errorf("the file is empty: %w", ErrNotASitemap)
	}
	return s.parseText(in)
}

// parseText reads a URL a line. A file without any is no sitemap: servers answer with their
// not-found page, and a status of 200.
func (s *File) parseText(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" {
			continue
		}
		u, err := url.Parse(line)
		switch {
		case err == nil && u.Host != "":
			if !s.add(&s.Pages, line) {
				return errEnough
			}
		case len(s.Pages) == 0:
			return ErrNotASitemap
		default:
			return fmt.Errorf("line %d: %q is not a URL", n, shortened(line))
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(s.Pages) == 0 {
		return ErrNotASitemap
	}
	return nil
}

func shortened(text string) string { return text[:min(len(text), 80)] }

// add adds a location, unless there are enough.
func (s *File) add(to *[]string, location string) bool {
	if len(*to) >= MaxURLs {
		s.Cut = true
		return false
	}
	*to = append(*to, location)
	return true
}

// hasUTF16Mark reports whether a text begins with the byte order mark of UTF-16.
func hasUTF16Mark(start []byte) bool {
	return bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff"))
}

// Limited is a reader that fails when there is more to read than Left.
type Limited struct {
	R    io.Reader
	Left int64
}

// Read gives site.ErrTooLong once more was read than is left.
func (l *Limited) Read(p []byte) (int, error) {
	n, err := l.R.Read(p)
	if l.Left -= int64(n); l.Left < 0 {
		return 0, site.ErrTooLong
	}
	return n, err
}
