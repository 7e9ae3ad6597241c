package git

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
)

// Files of the branch that need not be the site's.
const (
	noJekyll = ".nojekyll" // tells the host not to build the branch with Jekyll
	cnameTxt = "CNAME"     // tells the host the site's domain
)

// layout is a commit's tree before there is a commit.
type layout struct {
	files   map[string]objects.Entry
	folders map[string]objects.Folder
	blobs   map[plumbing.Hash]objects.Item // contents at hand
	said    objects.Trailers
	kept    []string // files of the live branch that the config keeps
}

func (l *layout) root() plumbing.Hash { return l.folders[""].Tree }

// add puts a file of ours into the tree.
func (l *layout) add(path string, text []byte) {
	id := objects.Name(plumbing.BlobObject, text)
	l.files[path] = objects.Entry{Blob: id, Mode: filemode.Regular}
	l.blobs[id] = objects.Content(plumbing.BlobObject, text)
}

// sameSettings reports whether the branch has the files beside the site's that the next
// tree will have.
func (l *layout) sameSettings(live *objects.Snapshot) bool {
	for _, name := range []string{noJekyll, cnameTxt, site.SumsPath(l.said.Release)} {
		if l.files[name] != live.Files[name] {
			return false
		}
	}
	return true
}

// build makes the tree objects, from the deepest folder up.
func (l *layout) build() error {
	lists, err := l.lists()
	if err != nil {
		return err
	}
	paths := make([]string, 0, len(lists))
	for p := range lists {
		paths = append(paths, p)
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	l.folders = make(map[string]objects.Folder, len(paths))
	for _, p := range paths {
		raw := encodeTree(lists[p])
		f := objects.Folder{Tree: objects.Name(plumbing.TreeObject, raw), Raw: raw}
		l.folders[p] = f
		if p != "" {
			dir, base := split(p)
			lists[dir] = append(lists[dir], named{base, objects.Entry{Blob: f.Tree, Mode: filemode.Dir}})
		}
	}
	return nil
}

// named is an entry under its name in one folder.
type named struct {
	name string
	objects.Entry
}

// lists gathers the files of each folder, and names every folder on the way to them.
func (l *layout) lists() (map[string][]named, error) {
	lists := map[string][]named{"": nil}
	for p, e := range l.files {
		dir, base := split(p)
		lists[dir] = append(lists[dir], named{base, e})
		for ; dir != ""; dir, _ = split(dir) {
			if _, clash := l.files[dir]; clash {
				return nil, &targets.RefusedError{
					Path: dir, Reason: fmt.Sprintf("it would be a file, and the folder of %q", p),
					Hint: "rename one of them, choose another path for the beacon, or take it out of publish.keep",
				}
			}
			if _, there := lists[dir]; !there {
				lists[dir] = nil
			}
		}
	}
	return lists, nil
}

// split divides a path into its folder, "" for the root, and its name.
func split(p string) (dir, base string) {
	dir, base = path.Split(p)
	return strings.TrimSuffix(dir, "/"), base
}

// encodeTree writes a tree object. Git orders the entries as if folders ended in a slash.
func encodeTree(list []named) []byte {
	slices.SortFunc(list, func(a, b named) int { return cmp.Compare(a.key(), b.key()) })
	var b bytes.Buffer
	for _, e := range list {
		fmt.Fprintf(&b, "%o %s\x00", uint32(e.Mode), e.name)
		b.Write(e.Blob[:])
	}
	return b.Bytes()
}

func (n named) key() string {
	if n.Mode == filemode.Dir {
		return n.name + "/"
	}
	return n.name
}

// snapshot is the layout as the tree of a commit.
func (l *layout) snapshot(c objects.Commit) *objects.Snapshot {
	return &objects.Snapshot{Commit: c, Files: l.files, Folders: l.folders}
}

// unknown are the objects that a holder of have lacks: trees as deltas against those of
// live, if thin packs are taken, and files with their earlier versions. It tells how many files
// there are.
func (l *layout) unknown(have map[plumbing.Hash]bool, live *objects.Snapshot, thin bool) (items []objects.Item, files int) {
	listed := map[plumbing.Hash]bool{}
	missing := func(id plumbing.Hash) bool {
		if have[id] || listed[id] {
			return false
		}
		listed[id] = true
		return true
	}
	for p, f := range l.folders {
		if missing(f.Tree) {
			items = append(items, objects.TreeItem(f, live.Folders[p], thin))
		}
	}
	before := earlier{live: live, next: l.files}
	for p, e := range l.files {
		if !missing(e.Blob) {
			continue
		}
		it := l.blobs[e.Blob]
		it.Name = e.Blob
		if thin {
			it.Base = before.version(p)
		}
		items = append(items, it)
		files++
	}
	return items, files
}
