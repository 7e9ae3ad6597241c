package static

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"sync/atomic"
	"time"
)

// Spool keeps the bytes of many immutable files in one temporary file, which is gone when
// the Spool is closed or the process ends. It is safe for concurrent use.
type Spool struct {
	f   *os.File
	end atomic.Int64
}

// Section is where a Spool keeps one file.
type Section struct{ Off, Size int64 }

// NewSpool makes a Spool in the folder dir, "" for the system's temporary folder.
func NewSpool(dir string) (*Spool, error) {
	f, err := os.CreateTemp(dir, "mirror-spool-*")
	if err != nil {
		return nil, fmt.Errorf("make a spool file: %w", err)
	}
	_ = os.Remove(f.Name()) // where an open file cannot be removed, Close does it
	return &Spool{f: f}, nil
}

// Add keeps a copy of p.
func (s *Spool) Add(p []byte) (Section, error) {
	at := Section{s.end.Add(int64(len(p))) - int64(len(p)), int64(len(p))}
	_, err := s.f.WriteAt(p, at.Off)
	return at, err
}

// Copy keeps exactly size bytes of r; fewer are io.ErrUnexpectedEOF.
func (s *Spool) Copy(r io.Reader, size int64) (Section, error) {
	at := Section{s.end.Add(size) - size, size}
	n, err := io.Copy(io.NewOffsetWriter(s.f, at.Off), io.LimitReader(r, size))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	return at, err
}

// Open reads what was kept.
func (s *Spool) Open(at Section) *io.SectionReader {
	return io.NewSectionReader(s.f, at.Off, at.Size)
}

// Close frees the disk space. Sections cannot be read any longer.
func (s *Spool) Close() error {
	err := s.f.Close()
	_ = os.Remove(s.f.Name()) // it is gone already where the system allows that
	return err
}

// Tree is an immutable site whose files lie in a Spool. It opens files only, no folders.
type Tree struct {
	spool *Spool
	files map[string]Section
}

// NewTree returns the site of the files under their paths. The map is the Tree's from now on.
func NewTree(spool *Spool, files map[string]Section) *Tree {
	return &Tree{spool: spool, files: files}
}

// Open opens a file; anything else is fs.ErrNotExist.
func (t *Tree) Open(name string) (fs.File, error) {
	at, ok := t.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &treeFile{t.spool.Open(at), treeInfo{path.Base(name), at.Size}}, nil
}

// Stat describes a file; anything else is fs.ErrNotExist.
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	at, ok := t.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return treeInfo{path.Base(name), at.Size}, nil
}

// Paths are the paths of the files, sorted.
func (t *Tree) Paths() []string { return slices.Sorted(maps.Keys(t.files)) }

// Len is the number of files.
func (t *Tree) Len() int { return len(t.files) }

type treeFile struct {
	*io.SectionReader
	info treeInfo
}

// Stat describes the file.
func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close does nothing: the spool stays open for other readers.
func (f *treeFile) Close() error { return nil }

// treeInfo has no time: the file never changes.
type treeInfo struct {
	name string
	size int64
}

// Name is the last element of the path.
func (i treeInfo) Name() string { return i.name }

// Size is in bytes.
func (i treeInfo) Size() int64 { return i.size }

// Mode is that of a file to read.
func (i treeInfo) Mode() fs.FileMode { return 0o444 }

// ModTime is none.
func (i treeInfo) ModTime() time.Time { return time.Time{} }

// IsDir is false: a tree holds files alone.
func (i treeInfo) IsDir() bool { return false }

// Sys is nil.
func (i treeInfo) Sys() any { return nil }
