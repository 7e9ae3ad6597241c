// Package site turns a generated site's folder into a release, and holds the words
// that every other package speaks: digest, file, manifest, release, beacon, page URL.
package site

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ID names a release: the SHA-256, in hexadecimal, of its manifest's text.
type ID string

// None is the ID of no release: nothing of ours is published.
const None ID = ""

// Short returns the first 12 digits of the ID, for people; "none" for None.
func (id ID) Short() string {
	if id == None {
		return "none"
	}
	return string(id[:min(12, len(id))])
}

// ParseID reads an ID as 64 hexadecimal digits.
func ParseID(s string) (ID, error) {
	d, err := ParseDigest(s)
	if err != nil {
		return None, fmt.Errorf("release id: %w", err)
	}
	return ID(d.String()), nil
}

// File is one file of a site.
type File struct {
	Path   string // slash-separated and relative, as in io/fs
	Size   int64  // bytes
	Digest Digest
}

// Manifest lists a site's files in path order (bytewise), each path once.
// The beacon is no part of it.
type Manifest []File

// Sort puts the files in manifest order.
func (m Manifest) Sort() {
	slices.SortFunc(m, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
}

// Find returns the file at path, if the manifest has one.
func (m Manifest) Find(path string) (File, bool) {
	i, ok := slices.BinarySearchFunc(m, path, func(f File, p string) int { return cmp.Compare(f.Path, p) })
	if !ok {
		return File{}, false
	}
	return m[i], true
}

// HasFolder reports whether any file lies in the folder at path; "" is the site itself.
func (m Manifest) HasFolder(path string) bool {
	if path == "" {
		return len(m) > 0
	}
	path += "/"
	i, ok := slices.BinarySearchFunc(m, path, func(f File, p string) int { return cmp.Compare(f.Path, p) })
	return ok || i < len(m) && strings.HasPrefix(m[i].Path, path)
}

// Bytes returns the sum of the files' sizes.
func (m Manifest) Bytes() int64 {
	var n int64
	for _, f := range m {
		n += f.Size
	}
	return n
}

// ID returns the SHA-256 of the manifest's text, so that anyone can recompute it
// with find, sort and sha256sum.
func (m Manifest) ID() ID {
	h := sha256.New()
	if _, err := m.WriteTo(h); err != nil {
		panic(err) // a hash never refuses a write
	}
	return ID(hex.EncodeToString(h.Sum(nil)))
}

// WriteTo writes the manifest as sha256sum(1) prints it: digest, two spaces and path,
// one file a line; a line whose name needed escaping begins with a backslash.
func (m Manifest) WriteTo(w io.Writer) (int64, error) {
	var n int64
	line := make([]byte, 0, 256)
	for _, f := range m {
		line = line[:0]
		name := escaper.Replace(f.Path)
		if len(name) != len(f.Path) {
			line = append(line, '\\')
		}
		line = hex.AppendEncode(line, f.Digest[:])
		line = append(append(append(line, "  "...), name...), '\n')
		k, err := w.Write(line)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// The escapes of GNU coreutils' digest tools: each makes the name longer.
var (
	escaper   = strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r")
	unescaper = strings.NewReplacer("\\\\", "\\", "\\n", "\n", "\\r", "\r")
)

// maxLine bounds one line of a manifest that is read: no path is longer.
const maxLine = 64 << 10

// ReadManifest reads what WriteTo writes. Sizes are no part of the text, so they are 0.
func ReadManifest(r io.Reader) (Manifest, error) {
	var m Manifest
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	s.Split(splitLines)
	for n := 1; s.Scan(); n++ {
		line, escaped := strings.CutPrefix(s.Text(), "\\")
		sum, name, ok := strings.Cut(line, "  ")
		d, err := ParseDigest(sum)
		if !ok || err != nil || name == "" {
			return nil, fmt.Errorf("manifest line %d: want a digest, two spaces and a path", n)
		}
		if escaped {
			name = unescaper.Replace(name)
		}
		if len(m) > 0 && m[len(m)-1].Path >= name {
			return nil, fmt.Errorf("manifest line %d: %q is out of order", n, name)
		}
		m = append(m, File{Path: name, Digest: d})
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return m, nil
}

// splitLines splits at newlines only: a carriage return may end a path.
func splitLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
