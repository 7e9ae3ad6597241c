// Package regular opens files that have to be regular ones. A named pipe, a socket or a
// device in a place that others can write to is an error: to open one could wait for ever, or
// do something.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrNotRegular is wrapped by the error for what is no regular file.
var ErrNotRegular = errors.New("not a regular file")

// LockFlags open or make a lock file: a link is not followed, and a pipe not waited for.
const LockFlags = os.O_CREATE | os.O_RDWR | nonblock | nofollow

// Open opens a file for reading, through links if need be.
func Open(path string) (*os.File, error) {
	f, _, err := open(path, os.Stat, func() (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|nonblock, 0) })
	return f, err
}

// OpenIn opens a file below root for reading. No link leads out of root.
func OpenIn(root *os.Root, path string) (*os.File, error) {
	f, _, err := open(path, root.Stat, func() (*os.File, error) { return root.OpenFile(path, os.O_RDONLY|nonblock, 0) })
	return f, err
}

// OpenOwn opens a file below root for reading that is no link itself.
func OpenOwn(root *os.Root, path string) (*os.File, error) {
	f, same, err := open(path, root.Lstat, func() (*os.File, error) { return root.OpenFile(path, os.O_RDONLY|nonblock, 0) })
	if err == nil && !same {
		return nil, errors.Join(fmt.Errorf("%s: it was replaced while it was opened", path), f.Close())
	}
	return f, err
}

// open looks before it opens, since opening alone can act on a device, and again afterwards,
// since the file may have been replaced in between.
func open(path string, stat func(string) (fs.FileInfo, error), do func() (*os.File, error)) (f *os.File, same bool, err error) {
	info, err := stat(path)
	if err != nil {
		return nil, false, err
	}
	return openSeen(path, info, do)
}

// openSeen is open after the look.
func openSeen(path string, info fs.FileInfo, do func() (*os.File, error)) (f *os.File, same bool, err error) {
	if !info.Mode().IsRegular() {
		return nil, false, fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if f, err = do(); err != nil {
		return nil, false, err
	}
	now, err := f.Stat()
	if err == nil && !now.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	return f, os.SameFile(info, now), nil
}

// ReadFile reads a file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return data, err
}

// OpenFile opens or makes a file for writing; flag as in os.OpenFile. What is there and is
// not a regular file is left alone.
func OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	return os.OpenFile(path, flag|nonblock, perm)
}

// FS is the tree below root. What is neither a file nor a folder can be listed and not opened.
func FS(root *os.Root) fs.FS { return tree{root, root.FS()} }

type tree struct {
	root *os.Root
	all  fs.FS
}

// Open opens a file or a folder, unless it is neither.
func (t tree) Open(name string) (fs.File, error) {
	info, err := fs.Stat(t.all, name) // refuses a name that is not valid
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return t.all.Open(name)
	}
	f, _, err := openSeen(name, info, func() (*os.File, error) { return t.root.OpenFile(name, os.O_RDONLY|nonblock, 0) })
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Stat follows links.
func (t tree) Stat(name string) (fs.FileInfo, error) { return fs.Stat(t.all, name) }

// ReadDir lists a folder.
func (t tree) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(t.all, name) }
