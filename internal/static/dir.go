package static

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"mirror/internal/pointer"
	"mirror/internal/regular"
)

// Dir is the site in a folder on disk. The folder is looked up anew for each file, so that
// a link, or a pointer file, that moves from release to release is followed. Links inside the site work;
// none leads out of it.
type Dir string

// Folder is the handler of the site in a folder, or in that which a pointer file leads to. There must be
// such a folder now.
func Folder(path string, o Options) (http.Handler, error) {
	folder, err := pointer.Folder(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("it must be a folder")
	}
	return New(Dir(path), o), nil
}

// Open opens a file of the site. Pipes, sockets and devices do not exist for it: opening
// one could block for ever.
func (d Dir) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	path, err := pointer.Folder(string(d))
	if err != nil {
		return nil, err
	}
	folder, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !folder.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // only read
	name = filepath.FromSlash(name)
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if info.IsDir() {
		return root.Open(name)
	}
	f, err := regular.OpenIn(root, name)
	if err != nil {
		return nil, err
	}
	return f, nil
}
