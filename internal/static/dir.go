package static

import (
	"io/fs"
	"os"
	"path/filepath"

	"mirror/internal/pointer"
	"mirror/internal/regular"
)

// Dir is the site in a folder on disk. The folder is looked up anew for each file, so that
// a link, or a pointer file, that moves from release to release is followed. Links inside the site work;
// none leads out of it.
type Dir string

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
