package githost

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// leaf is a tree's entry that is no folder.
type leaf struct {
	mode filemode.FileMode
	hash plumbing.Hash
}

// maxDepth bounds how deep the folders of a pushed tree are followed.
const maxDepth = 1000

func treeHashes(t *object.Tree) []plumbing.Hash {
	hashes := make([]plumbing.Hash, 0, len(t.Entries))
	for _, e := range t.Entries {
		if e.Mode != filemode.Submodule {
			hashes = append(hashes, e.Hash)
		}
	}
	return hashes
}

// leaves lists a commit's files by their path, none for the zero hash.
func (s *objects) leaves(commit plumbing.Hash) (map[string]leaf, error) {
	files := map[string]leaf{}
	if commit.IsZero() {
		return files, nil
	}
	c, err := object.GetCommit(s, commit)
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", commit, err)
	}
	return files, s.collect(c.TreeHash, "", maxDepth, files)
}

func (s *objects) collect(tree plumbing.Hash, dir string, depth int, into map[string]leaf) error {
	if depth == 0 {
		return fmt.Errorf("%q: its folders are too deep", dir)
	}
	t, err := object.GetTree(s, tree)
	if err != nil {
		return fmt.Errorf("read tree %s: %w", tree, err)
	}
	for _, e := range t.Entries {
		name := path.Join(dir, e.Name)
		if e.Mode != filemode.Dir {
			into[name] = leaf{e.Mode, e.Hash}
		} else if err := s.collect(e.Hash, name, depth-1, into); err != nil {
			return err
		}
	}
	return nil
}

// plant stores the tree of the files and returns its name.
func (s *objects) plant(files map[string]leaf) (plumbing.Hash, error) {
	here := map[string]object.TreeEntry{}
	below := map[string]map[string]leaf{}
	for name, l := range files {
		dir, rest, nested := strings.Cut(name, "/")
		if !nested {
			here[name] = object.TreeEntry{Name: name, Mode: l.mode, Hash: l.hash}
			continue
		}
		if below[dir] == nil {
			below[dir] = map[string]leaf{}
		}
		below[dir][rest] = l
	}
	for dir, files := range below {
		h, err := s.plant(files)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		here[dir] = object.TreeEntry{Name: dir, Mode: filemode.Dir, Hash: h}
	}
	return s.addTree(here)
}

func (s *objects) addTree(entries map[string]object.TreeEntry) (plumbing.Hash, error) {
	t := &object.Tree{}
	for _, e := range entries {
		t.Entries = append(t.Entries, e)
	}
	slices.SortFunc(t.Entries, func(a, b object.TreeEntry) int {
		return strings.Compare(sortName(a), sortName(b))
	})
	o := &plumbing.MemoryObject{}
	if err := t.Encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	return s.SetEncodedObject(o)
}

// sortName is the name by which git orders a tree's entries.
func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}
