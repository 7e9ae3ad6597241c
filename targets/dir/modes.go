package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// modes are the permissions of what a publish writes, whatever the umask is.
type modes struct{ file, folder fs.FileMode }

// Validate reports a mode that files cannot have.
func (c Config) Validate(wrong targets.Wrong) {
	if _, _, err := releasedir.ParseMode(c.Mode); err != nil {
		wrong("mode", err.Error())
	}
}

// makeFolders makes a folder and those above it where they are missing.
func (m modes) makeFolders(path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if above := filepath.Dir(path); above != path {
		if err := m.makeFolders(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, m.folder); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	} else if err != nil {
		return nil // another process made it
	}
	return os.Chmod(path, m.folder) // which means nothing on Windows
}

// special are the bits of a mode that mean something on a folder beside its permissions.
const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// ofFolder gives a folder its mode. The bits that are no permissions stay as they are, as far as the
// system lets them: the group of a folder's files may depend on one.
func (m modes) ofFolder(f *os.File) error {
	if !posix {
		return nil
	}
	info, err := f.Stat()
	if err != nil || info.Mode().Perm() == m.folder {
		return err
	}
	if f.Chmod(info.Mode()&special|m.folder) == nil {
		return nil
	}
	return f.Chmod(m.folder)
}

// finishFolders gives the folders below root their mode and makes the names in them durable.
func (m modes) finishFolders(root *os.Root) error {
	if !posix {
		return nil
	}
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		f, err := root.Open(name)
		if err != nil {
			return fmt.Errorf("dir: %w", err)
		}
		return errors.Join(m.ofFolder(f), f.Sync(), f.Close())
	})
}

// restore gives the files and folders of a release in a copy from before their modes.
func (m modes) restore(ctx context.Context, root *os.Root, rel *site.Release) error {
	folders := releasedir.Folders(rel.Manifest)
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if d.IsDir() && (name == "." || folders[name]) {
			f, err := root.Open(name)
			if err != nil {
				return err
			}
			return errors.Join(m.ofFolder(f), f.Close())
		}
		if _, ours := rel.Manifest.Find(name); !ours || !d.Type().IsRegular() {
			return nil
		}
		return m.ofFile(root, name, d)
	})
}

// ofFile gives a file that is there its mode.
func (m modes) ofFile(root *os.Root, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil || !posix || info.Mode().Perm() == m.file {
		return err
	}
	return root.Chmod(name, m.file)
}
