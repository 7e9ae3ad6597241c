package git

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// entry is what a tree says of a file: all that must be equal for it to be the same.
type entry struct {
	blob plumbing.Hash
	mode filemode.FileMode
}

// folder is a tree object.
type folder struct {
	tree plumbing.Hash
	raw  []byte
}

// snapshot is a commit and everything its trees say. The zero snapshot is of an absent
// branch.
type snapshot struct {
	commit
	files   map[string]entry  // by path
	folders map[string]folder // by path, "" for the root
}

// Bounds of a tree that others made. A tree can name one subtree a thousand times, and
// that one another: small to send, endless to walk.
const (
	maxEntries = 1 << 20
	maxDepth   = 400
	maxPath    = 16 << 10 // bytes
)

func (s *store) commit(hash plumbing.Hash) (commit, error) {
	raw, err := s.read(plumbing.CommitObject, hash)
	if err != nil {
		return commit{}, err
	}
	c, err := parseCommit(raw)
	if err == nil && c.hash != hash {
		err = fmt.Errorf("commit %s: its content is another's", hash)
	}
	return c, err
}

// snapshot reads a commit with all its trees.
func (s *store) snapshot(hash plumbing.Hash) (*snapshot, error) {
	c, err := s.commit(hash)
	if err != nil {
		return nil, err
	}
	snap := &snapshot{commit: c, files: map[string]entry{}, folders: map[string]folder{}}
	return snap, snap.walk(s, "", c.tree, 0)
}

// walk reads the tree of the folder at path, and those below.
func (p *snapshot) walk(s *store, path string, tree plumbing.Hash, depth int) error {
	if depth > maxDepth || len(path) > maxPath || len(p.files)+len(p.folders) > maxEntries {
		return fmt.Errorf("tree at %q: %w", path, errTooMuch)
	}
	raw, err := s.read(plumbing.TreeObject, tree)
	if err != nil {
		return err
	}
	p.folders[path] = folder{tree: tree, raw: raw}
	for name, e := range entriesOf(raw, &err) {
		full := join(path, name)
		if _, twice := p.files[full]; twice {
			return fmt.Errorf("tree at %q: two entries are called %q", path, name)
		}
		if e.mode != filemode.Dir {
			p.files[full] = e
			continue
		}
		if err := p.walk(s, full, e.blob, depth+1); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("tree at %q: %w", path, err)
	}
	return nil
}

func join(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

// entriesOf goes through a tree object. What is malformed in it ends it with an error.
func entriesOf(raw []byte, failed *error) iter.Seq2[string, entry] {
	return func(yield func(string, entry) bool) {
		for len(raw) > 0 {
			name, e, rest, err := firstEntry(raw)
			if err != nil {
				*failed = err
				return
			}
			if raw = rest; !yield(name, e) {
				return
			}
		}
	}
}

// firstEntry reads mode, space, name, NUL and 20 bytes of hash. A name that leads
// elsewhere is refused.
func firstEntry(raw []byte) (name string, e entry, rest []byte, err error) {
	head, rest, ok := bytes.Cut(raw, []byte{0})
	mode, base, spaced := bytes.Cut(head, []byte{' '})
	bits, err := strconv.ParseUint(string(mode), 8, 32)
	if !ok || !spaced || err != nil || len(rest) < len(e.blob) {
		return "", e, nil, errors.New("it is malformed")
	}
	name = string(base)
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
		return "", e, nil, fmt.Errorf("an entry is called %q", name)
	}
	e = entry{mode: filemode.FileMode(bits), blob: plumbing.Hash(rest[:len(e.blob)])}
	return name, e, rest[len(e.blob):], nil
}

// names are the trees and blobs that the remote holds because it holds the snapshot.
func (p *snapshot) names() map[plumbing.Hash]bool {
	names := make(map[plumbing.Hash]bool, len(p.files)+len(p.folders)+1)
	for _, e := range p.files {
		names[e.blob] = true
	}
	for _, f := range p.folders {
		names[f.tree] = true
	}
	return names
}
