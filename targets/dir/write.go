package dir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// write stores a new file durably. The folders that it makes are left to finishFolders.
func (m modes) write(root *os.Root, name string, r io.Reader) error {
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, m.folder); err != nil {
			return err
		}
	}
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, m.file)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if err == nil {
		err = errors.Join(w.Chmod(m.file), w.Sync())
	}
	return errors.Join(err, w.Close())
}

// syncFolders makes the names below root durable.
func syncFolders(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncFolder(root, name)
	})
}

func syncFolder(root *os.Root, name string) error {
	if !posix {
		return nil
	}
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}
