package objects

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
)

// content is all of an object: in memory, or in a temporary file where it is large.
type content struct {
	size int64
	buf  []byte
	file *os.File
}

// newContent makes room for a content of a size that is bounded already. dir is for the file.
func newContent(dir string, size int64) (*content, error) {
	if size <= bigObject {
		return &content{size: size, buf: make([]byte, 0, size)}, nil
	}
	f, err := os.CreateTemp(dir, "object-")
	return &content{size: size, file: f}, err
}

// Write appends. What is more than the size is an error.
func (c *content) Write(p []byte) (int, error) {
	if c.file != nil {
		return c.file.Write(p)
	}
	if len(c.buf)+len(p) > cap(c.buf) {
		return 0, ErrTooMuch
	}
	c.buf = append(c.buf, p...)
	return len(p), nil
}

// Size is the content's length in bytes.
func (c *content) Size() int64 { return c.size }

// ReadAt reads a part.
func (c *content) ReadAt(p []byte, at int64) (int, error) {
	if c.file != nil {
		return c.file.ReadAt(p, at)
	}
	return bytes.NewReader(c.buf).ReadAt(p, at)
}

func (c *content) reader() io.Reader { return io.NewSectionReader(c, 0, c.size) }

func (c *content) close() error {
	if c.file == nil {
		return nil
	}
	return errors.Join(c.file.Close(), os.Remove(c.file.Name()))
}

// Bounds of the contents that are kept because other objects are deltas against them.
const (
	maxRecent      = 64 << 20 // bytes in memory
	maxRecentFiles = 4
)

// recent are the contents that were used last, the latest at the end.
type recent struct {
	entries  []*entry
	contents map[*entry]*content
	bytes    int64 // in memory
	files    int
}

func (r *recent) get(e *entry) *content {
	c := r.contents[e]
	if c != nil {
		i := slices.Index(r.entries, e)
		r.entries = append(slices.Delete(r.entries, i, i+1), e)
	}
	return c
}

// put keeps a content, and drops the oldest where there are too many.
func (r *recent) put(e *entry, c *content) error {
	if r.contents == nil {
		r.contents = map[*entry]*content{}
	}
	r.entries, r.contents[e] = append(r.entries, e), c
	r.count(c, 1)
	var err error
	for len(r.entries) > 1 && (r.bytes > maxRecent || r.files > maxRecentFiles) {
		oldest := r.entries[0]
		r.entries = r.entries[1:]
		r.count(r.contents[oldest], -1)
		err = errors.Join(err, r.contents[oldest].close())
		delete(r.contents, oldest)
	}
	return err
}

func (r *recent) count(c *content, n int64) {
	if c.file != nil {
		r.files += int(n)
		return
	}
	r.bytes += n * c.size
}

func (r *recent) close() error {
	var err error
	for _, c := range r.contents {
		err = errors.Join(err, c.close())
	}
	return err
}
