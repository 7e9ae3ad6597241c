package site

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"path"
	"time"
)

// With returns the release with further files, whose bytes are given by path. A path that the release has
// keeps its file.
func (r *Release) With(files map[string][]byte) *Release {
	m, added := append(Manifest(nil), r.Manifest...), map[string][]byte{}
	for p, text := range files {
		if _, there := r.Manifest.Find(p); !there {
			m, added[p] = append(m, File{Path: p, Size: int64(len(text)), Digest: sha256.Sum256(text)}), text
		}
	}
	m.Sort()
	made := *r
	made.Manifest, made.id = m, m.ID()
	if r.fsys != nil {
		made.fsys = overlay{r.fsys, added}
	}
	return &made
}

// overlay has further files in memory.
type overlay struct {
	fs.FS
	files map[string][]byte
}

// Open opens a file in memory where the file system has none.
func (o overlay) Open(name string) (fs.File, error) {
	text, ok := o.files[name]
	if !ok {
		return o.FS.Open(name)
	}
	return &memoryFile{bytes.NewReader(text), name}, nil
}

type memoryFile struct {
	*bytes.Reader
	name string
}

// Stat tells of a regular file.
func (f *memoryFile) Stat() (fs.FileInfo, error) { return f, nil }

// Close does nothing.
func (*memoryFile) Close() error { return nil }

// Name returns the last part of the path.
func (f *memoryFile) Name() string { return path.Base(f.name) }

// Mode is that of a regular file.
func (*memoryFile) Mode() fs.FileMode { return 0o444 }

// ModTime is not known.
func (*memoryFile) ModTime() time.Time { return time.Time{} }

// IsDir is false.
func (*memoryFile) IsDir() bool { return false }

// Sys returns nothing.
func (*memoryFile) Sys() any { return nil }
