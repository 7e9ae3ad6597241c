package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// maxLinks is how many links are followed from a name to its file, as systems do.
const maxLinks = 40

// watchFile has a watcher watch the folders in which a change can give a file's name another
// content, and no others. A folder that does not exist is passed over: it is watched once a link
// leads to it.
func watchFile(watcher *fsnotify.Watcher, file string) error {
	folders, err := foldersOf(file)
	if err != nil {
		return err
	}
	for _, folder := range watcher.WatchList() {
		if !slices.Contains(folders, folder) {
			_ = watcher.Remove(folder) // it may be gone
		}
	}
	for _, folder := range folders {
		if err := watcher.Add(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// foldersOf lists the folders that hold a file and the links on the way to it, by names
// without links.
func foldersOf(file string) ([]string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	at, rest := rootOf(file)
	var folders []string
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		target, err := os.Readlink(next)
		isLink := err == nil && links < maxLinks
		if (isLink || len(rest) == 1) && !slices.Contains(folders, at) {
			folders = append(folders, at)
		}
		if !isLink {
			at, rest = next, rest[1:]
			continue
		}
		links++
		if filepath.IsAbs(target) {
			root, names := rootOf(target)
			at, rest = root, append(names, rest[1:]...)
		} else {
			rest = append(namesOf(target), rest[1:]...)
		}
	}
	return folders, nil
}

// rootOf splits an absolute name into its root and the names below that.
func rootOf(name string) (root string, names []string) {
	root = filepath.VolumeName(name) + string(filepath.Separator)
	return root, namesOf(strings.TrimPrefix(name, root))
}

func namesOf(path string) []string {
	return strings.FieldsFunc(filepath.ToSlash(path), func(c rune) bool { return c == '/' })
}
