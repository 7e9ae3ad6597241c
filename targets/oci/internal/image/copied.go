package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"mirror/internal/wait"
	"mirror/targets"
)

// ErrTooMuch is the error of a copy that has more bytes than its bound.
var ErrTooMuch = errors.New("the files to copy have more bytes than their sizes add up to")

// Copied holds some files of an image, to be put into another one: their content lies in a
// temporary file. Modes, owners, times (whole seconds) and the texts of symbolic links are kept,
// so the same files always make the same layer.
type Copied struct {
	root    string // of the image that is read, as a Tree has it
	paths   []string
	wanted  map[string]bool
	parents map[string]bool
	files   map[string]copied
	folders map[string]tar.Header
	content *os.File
	end     int64 // of the content
	left    int64 // bytes that may still be copied
}

// copied is a file, or a link, that was found.
type copied struct {
	tar.Header
	at int64 // of its content
}

// NewCopied returns a Copied for the files at paths below root, which are in path order. Beyond
// limit bytes of content it ends with ErrTooMuch.
func NewCopied(root string, paths []string, limit int64) (*Copied, error) {
	content, err := os.CreateTemp("", "mirror-kept-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(content.Name()) // so that a crash leaves nothing; refused on Windows, then Close does it
	c := &Copied{
		root: strings.TrimPrefix(root, "/"), paths: paths, wanted: map[string]bool{}, parents: map[string]bool{},
		files: map[string]copied{}, folders: map[string]tar.Header{}, content: content, left: limit,
	}
	for _, p := range paths {
		c.wanted[p] = true
		for up := path.Dir(p); up != "."; up = path.Dir(up) {
			c.parents[up] = true
		}
	}
	return c, nil
}

// Close gives the temporary file's space back.
func (c *Copied) Close() error {
	err := c.content.Close()
	_ = os.Remove(c.content.Name()) // gone already, except where an open file cannot be removed
	return err
}

// Complete reports whether layers below have nothing more to add.
func (c *Copied) Complete() bool {
	return len(c.files) == len(c.wanted) && len(c.folders) == len(c.parents)
}

// entry notes an entry that is wanted. Its content is copied as it is read.
func (c *Copied) entry(p string, hdr *tar.Header, content io.Reader) io.Reader {
	if hdr.Typeflag == tar.TypeDir && c.parents[p] {
		if _, above := c.folders[p]; !above {
			c.folders[p] = plain(hdr, time.Time{})
		}
		return content
	}
	if !c.wanted[p] {
		return content
	}
	c.files[p] = copied{plain(hdr, hdr.ModTime), c.end}
	if hdr.Typeflag != tar.TypeReg && hdr.Typeflag != tar.TypeGNUSparse {
		return content
	}
	return io.TeeReader(content, (*copier)(c))
}

// copier writes to the temporary file.
type copier Copied

// Write appends to the content.
func (c *copier) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		return 0, ErrTooMuch
	}
	n, err := c.content.WriteAt(p, c.end)
	c.end += int64(n)
	return n, err
}

// plain is the part of a header that is copied. A time that not every format holds becomes 1970.
func plain(hdr *tar.Header, modified time.Time) tar.Header {
	if s := modified.Unix(); s < 0 || s >= 1<<33 {
		modified = time.Unix(0, 0)
	}
	return tar.Header{
		Typeflag: hdr.Typeflag, Linkname: hdr.Linkname, Size: hdr.Size, Mode: hdr.Mode & 0o777,
		Uid: max(0, hdr.Uid), Gid: max(0, hdr.Gid), ModTime: modified.Truncate(time.Second), Format: tar.FormatPAX,
	}
}

// Layer writes the files as a layer's tar stream, to lie on top of a web root. A second name
// (hard link) of another of the files becomes a file of its own. What can be neither copied nor
// linked is a *targets.RefusedError.
func (c *Copied) Layer(ctx context.Context, w io.Writer, webRoot string) error {
	root, out, written := strings.TrimPrefix(webRoot, "/"), tar.NewWriter(w), map[string]bool{}
	for _, p := range c.paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := c.find(p)
		if err != nil {
			return err
		}
		for i := range len(p) {
			if p[i] != '/' || written[p[:i]] {
				continue
			}
			written[p[:i]] = true
			if err := out.WriteHeader(c.folder(root, p[:i])); err != nil {
				return fmt.Errorf("layer: %s: %w", p[:i], err)
			}
		}
		f.Name = inRoot(root, p)
		if err = out.WriteHeader(&f.Header); err == nil && f.Typeflag == tar.TypeReg {
			_, err = io.Copy(out, wait.Reader(ctx, io.NewSectionReader(c.content, f.at, f.Size)))
		}
		if err != nil {
			return fmt.Errorf("layer: %s: %w", p, err)
		}
	}
	return out.Close()
}

func (c *Copied) folder(root, p string) *tar.Header {
	hdr, known := c.folders[p]
	if !known {
		hdr = tar.Header{Typeflag: tar.TypeDir, Mode: ModeDir, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	}
	hdr.Name = inRoot(root, p) + "/"
	return &hdr
}

// find returns the file at p as it is to be written.
func (c *Copied) find(p string) (copied, error) {
	f, found := c.files[p]
	for hops := 0; found && f.Typeflag == tar.TypeLink && hops < maxHops; hops++ {
		target := strings.TrimPrefix(path.Clean("/"+f.Linkname), "/")
		f, found = c.files[strings.TrimPrefix(target, inRoot(c.root, ""))]
	}
	switch {
	case found && f.Typeflag == tar.TypeGNUSparse:
		f.Typeflag = tar.TypeReg
		return f, nil
	case found && (f.Typeflag == tar.TypeReg || f.Typeflag == tar.TypeSymlink):
		return f, nil
	}
	return copied{}, &targets.RefusedError{
		Path: p, Reason: "publish.keep keeps it, and it is neither a file nor a symbolic link that can be put into the next image",
		Hint: "replace it by a file, or take it out of publish.keep",
	}
}

// Content returns the content of a file that was copied, through a hard link or a symbolic one.
func (c *Copied) Content(p string) (io.Reader, error) {
	for range maxHops {
		f, err := c.find(p)
		if err != nil {
			return nil, err
		}
		if f.Typeflag == tar.TypeReg {
			return io.NewSectionReader(c.content, f.at, f.Size), nil
		}
		if p = path.Join(path.Dir(p), f.Linkname); path.IsAbs(f.Linkname) {
			p = strings.TrimPrefix(f.Linkname, "/"+c.root+"/")
		}
	}
	return nil, fmt.Errorf("%q: too many links", p)
}

// RefuseName returns a *targets.RefusedError for a path that no image can hold.
func RefuseName(p string) error { return refusePath(p) }
