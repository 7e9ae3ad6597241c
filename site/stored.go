package site

import (
	"bytes"
	"io/fs"
	"time"
)

// Stored returns the release as a place stores it: with the files of m, of which those in bodies have other bytes than
// in r. The ID and the beacon are those of r.
func (r *Release) Stored(m Manifest, bodies map[string]func() ([]byte, error)) *Release {
	stored := *r
	stored.Manifest, stored.bytes, stored.original = m, r.Manifest.Bytes(), r.Manifest
	if r.fsys != nil {
		stored.fsys = replacedFS{r.fsys, bodies}
	}
	return &stored
}

// replacedFS has other bytes for some of the files below it.
type replacedFS struct {
	fs.FS
	bodies map[string]func() ([]byte, error)
}

// Open opens a file.
func (r replacedFS) Open(name string) (fs.File, error) {
	body, ok := r.bodies[name]
	if !ok {
		return r.FS.Open(name)
	}
	data, err := body()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &replacedFile{bytes.NewReader(data), name}, nil
}

// replacedFile is a file whose bytes are in memory.
type replacedFile struct {
	*bytes.Reader
	name string
}

// Stat describes the bytes in memory.
func (f *replacedFile) Stat() (fs.FileInfo, error) { return replacedInfo{f.name, f.Reader.Size()}, nil }

// Close has nothing to do.
func (*replacedFile) Close() error { return nil }

type replacedInfo struct {
	name string
	size int64
}

// Name is that of the file in the site.
func (i replacedInfo) Name() string { return i.name }

// Size is the number of bytes in memory.
func (i replacedInfo) Size() int64 { return i.size }

// Mode is that of a file that can only be read.
func (replacedInfo) Mode() fs.FileMode { return 0o444 }

// ModTime is unknown.
func (replacedInfo) ModTime() time.Time { return time.Time{} }

// IsDir is false: only files are replaced.
func (replacedInfo) IsDir() bool { return false }

// Sys is nil: no file system holds the bytes.
func (replacedInfo) Sys() any { return nil }
