package static

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

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
	f := folder{path: string(d)}
	defer f.close()
	return f.Open(name)
}

// folder is a Dir that keeps the folder that it was last looked up in open.
type folder struct {
	path string

	mu   sync.Mutex
	info fs.FileInfo // of root
	root *os.Root    // nil before the first use
}

// Open opens a file of the site.
func (d *folder) Open(name string) (file fs.File, err error) {
	err = d.in(name, func(root *os.Root, path string) error {
		file, err = open(root, path)
		return err
	})
	return file, err
}

// Stat describes a file of the site, through links.
func (d *folder) Stat(name string) (info fs.FileInfo, err error) {
	err = d.in(name, func(root *os.Root, path string) error {
		info, err = root.Stat(path)
		return err
	})
	return info, err
}

// glance describes what a name leads to with one question, also where links lead out of the folder.
func (d *folder) glance(name string) (fs.FileInfo, error) {
	return os.Stat(d.path + string(filepath.Separator) + filepath.FromSlash(name))
}

// in does something with a file, given by its path in the folder that holds the site now.
func (d *folder) in(name string, do func(root *os.Root, path string) error) error {
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	for range 3 {
		root, err := d.look()
		if err != nil {
			return err
		}
		if err = do(root, filepath.FromSlash(name)); !errors.Is(err, os.ErrClosed) {
			return err
		}
	}
	return &fs.PathError{Op: "open", Path: name, Err: os.ErrClosed} // replaced again and again
}

// look returns the folder that the path names now. Another look may close it.
func (d *folder) look() (*os.Root, error) {
	path, info, err := d.target()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root != nil && os.SameFile(info, d.info) {
		return d.root, nil
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	if d.root != nil {
		_ = d.root.Close() // only read; what is under way in it goes on
	}
	if info, err = root.Stat("."); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	d.root, d.info = root, info
	return root, nil
}

// target follows the path to a folder.
func (d *folder) target() (string, fs.FileInfo, error) {
	path := d.path
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() {
		if path, err = pointer.Folder(path); err == nil {
			info, err = os.Stat(path)
		}
	}
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return path, info, err
}

func (d *folder) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root != nil {
		_ = d.root.Close() // only read
	}
	d.root = nil
}

// open opens a file or a folder below root.
func open(root *os.Root, name string) (fs.File, error) {
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
