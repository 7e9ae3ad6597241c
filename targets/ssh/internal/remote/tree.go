package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/sync/errgroup"
)

// Entry is something below a folder.
type Entry struct {
	Path string // relative to the folder
	Size int64
	Mode fs.FileMode

	owner, group int
}

// Tree is what is below a folder, in path order.
type Tree struct {
	Files   []Entry // all that are no folders, links as themselves; and folders that cannot be read
	Folders []Entry
}

// What a tree has at most. Linux takes no longer path.
const (
	maxEntries = 4 << 20
	maxPath    = 4 << 10
	atOnce     = 16 // folders, and small files, that are asked for at the same time
)

// List lists all that is below a folder, which may be a link to one. No link below it is followed.
func (h *Host) List(ctx context.Context, root string) (Tree, error) {
	var t Tree
	for level := []string{""}; len(level) > 0; {
		found, err := h.listAll(ctx, root, level)
		if err != nil {
			return Tree{}, err
		}
		level = nil
		for _, e := range found {
			if e.Mode.IsDir() && e.Size >= 0 {
				t.Folders = append(t.Folders, e)
				level = append(level, e.Path)
			} else {
				t.Files = append(t.Files, e)
			}
		}
		if len(t.Files)+len(t.Folders) > maxEntries {
			return Tree{}, fmt.Errorf("list %q: it has more than %d files", root, maxEntries)
		}
	}
	byPath := func(a, b Entry) int { return strings.Compare(a.Path, b.Path) }
	slices.SortFunc(t.Files, byPath)
	slices.SortFunc(t.Folders, byPath)
	for i := 1; i < len(t.Files); i++ {
		if t.Files[i].Path == t.Files[i-1].Path {
			return Tree{}, fmt.Errorf("list %q: the server lists %q twice", root, t.Files[i].Path)
		}
	}
	return t, nil
}

// listAll lists folders of the tree. One that cannot be read is found as a folder of size -1.
func (h *Host) listAll(ctx context.Context, root string, folders []string) ([]Entry, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	found := make([][]Entry, len(folders))
	for i, folder := range folders {
		group.Go(func() (err error) {
			found[i], err = h.listOne(ctx, root, folder)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(found...), err
}

func (h *Host) listOne(ctx context.Context, root, folder string) ([]Entry, error) {
	infos, err := h.ReadDir(ctx, path.Join(root, folder))
	switch {
	case errors.Is(err, os.ErrPermission) && folder != "":
		return []Entry{{Path: folder, Mode: fs.ModeDir, Size: -1}}, nil
	case errors.Is(err, os.ErrNotExist) && folder != "":
		return nil, nil // it was removed in this moment
	case err != nil:
		return nil, err
	}
	all := make([]Entry, 0, len(infos))
	for _, info := range infos {
		name := info.Name()
		full := path.Join(folder, name)
		if name == "." || name == ".." || name == "/" || strings.ContainsAny(name, "/\x00") || len(full) > maxPath {
			return nil, fmt.Errorf("list %q: the server lists a name that no file can have: %.80q", root, full)
		}
		e := Entry{Path: full, Size: max(0, info.Size()), Mode: info.Mode()}
		if stat, ok := info.Sys().(*sftp.FileStat); ok {
			e.owner, e.group = int(stat.UID), int(stat.GID)
		}
		all = append(all, e)
	}
	return all, nil
}
