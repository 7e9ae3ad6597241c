package image

import (
	"archive/tar"
	"bytes"
	"io"
)

// Contents holds the content of some small files of an image, in memory.
type Contents struct {
	wanted map[string]bool
	limit  int64
	found  map[string]*bytes.Buffer // nil where the path is not a regular file within the limit
}

// NewContents returns a Contents for the regular files at paths that have at most limit bytes.
func NewContents(paths []string, limit int64) *Contents {
	c := &Contents{wanted: map[string]bool{}, limit: limit, found: map[string]*bytes.Buffer{}}
	for _, p := range paths {
		c.wanted[p] = true
	}
	return c
}

// Complete reports whether layers below have nothing more to add.
func (c *Contents) Complete() bool { return len(c.found) == len(c.wanted) }

// Files returns the content that was found, by path.
func (c *Contents) Files() map[string][]byte {
	files := map[string][]byte{}
	for p, text := range c.found {
		if text != nil {
			files[p] = text.Bytes()
		}
	}
	return files
}

// entry takes the content of a wanted entry as it is read. Of two entries of one layer the last counts.
func (c *Contents) entry(p string, hdr *tar.Header, content io.Reader) io.Reader {
	if !c.wanted[p] {
		return content
	}
	c.found[p] = nil
	if hdr.Typeflag != tar.TypeReg || hdr.Size > c.limit {
		return content
	}
	text := &bytes.Buffer{}
	c.found[p] = text
	return io.TeeReader(content, text)
}
