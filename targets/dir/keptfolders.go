package dir

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"time"
)

// keptFolders are the kept folders, and those around kept files. An application stores in
// them as before: each gets the owner, mode and time that it has in source.
type keptFolders struct {
	source, target *os.Root
	newOnly        bool            // leave the folders alone that target has already
	seen           map[string]bool // whether the folder gets these
}

// see notes the folder that is going to be carried, or the folders around the file.
func (k keptFolders) see(name string, d fs.DirEntry) {
	if !d.IsDir() {
		name = path.Dir(name)
	}
	for ; name != "."; name = path.Dir(name) {
		if _, ok := k.seen[name]; ok {
			return
		}
		_, err := k.target.Lstat(name)
		k.seen[name] = !k.newOnly || errors.Is(err, fs.ErrNotExist)
	}
}

// finish gives the folders what they had, when all that belongs into them is there: the inner ones
// first. What has gone in this moment, or is no folder any more, is left out.
func (k keptFolders) finish() error {
	names := slices.Sorted(maps.Keys(k.seen))
	for _, name := range slices.Backward(names) {
		info, err := k.source.Lstat(name)
		if !k.seen[name] || errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			continue
		}
		if err == nil {
			err = likeFolder(k.target, name, info)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// likeFolder gives a folder the time, the owner and then the mode of another: a change of owner clears
// bits of the mode. No link in the folder's place is followed.
func likeFolder(root *os.Root, name string, info fs.FileInfo) error {
	folder, err := openOwn(root, name)
	if err != nil {
		return err
	}
	defer folder.Close()
	_ = folder.Chtimes(".", time.Time{}, info.ModTime()) // as far as the file system can
	f, err := folder.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	takeOwner(f, info)
	if f.Chmod(info.Mode()&(fs.ModePerm|special)) == nil {
		return nil
	}
	return f.Chmod(info.Mode().Perm()) // not every file system has the others
}
