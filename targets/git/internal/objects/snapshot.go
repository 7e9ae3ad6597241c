package objects

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

// Entry is what a tree says of a file: all that must be equal for it to be the same.
type Entry struct {
	Blob plumbing.Hash
	Mode filemode.FileMode
}

// Folder is a tree object.
type Folder struct {
	Tree plumbing.Hash
	Raw  []byte
}

// Snapshot is a commit and everything its trees say. The zero snapshot is of an absent
// branch.
type Snapshot struct {
	Commit
	Files   map[string]Entry  // by path
	Folders map[string]Folder // by path, "" for the root
}

// Bounds of a tree that others made. A tree can name one subtree a thousand times, and
// that one another: small to send, endless to walk.
const (
	maxEntries = 1 << 20
	maxDepth   = 400
	maxPath    = 16 << 10 // bytes
)

// ReadCommit reads a commit without its trees.
func (s *Store) ReadCommit(hash plumbing.Hash) (Commit, error) {
	raw, err := s.Read(plumbing.CommitObject, hash, maxTree)
	if err != nil {
		return Commit{}, err
	}
	c, err := parseCommit(raw)
	if err == nil && c.Hash != hash {
		err = fmt.Errorf("commit %s: its content is another's", hash)
	}
	return c, err
}

// Snapshot reads a commit with all its trees.
func (s *Store) Snapshot(hash plumbing.Hash) (*Snapshot, error) {
	c, err := s.ReadCommit(hash)
	if err != nil {
		return nil, err
	}
	snap := &Snapshot{Commit: c, Files: map[string]Entry{}, Folders: map[string]Folder{}}
	w := walker{snap: snap, store: s, raws: map[plumbing.Hash][]byte{}}
	return snap, w.walk("", c.Tree, 0)
}

// walker reads the trees of a snapshot, each once.
type walker struct {
	snap  *Snapshot
	store *Store
	raws  map[plumbing.Hash][]byte
}

func (w *walker) read(tree plumbing.Hash) ([]byte, error) {
	if raw, seen := w.raws[tree]; seen {
		return raw, nil
	}
	raw, err := w.store.Read(plumbing.TreeObject, tree, maxTree)
	if err == nil {
		w.raws[tree] = raw
	}
	return raw, err
}

// walk reads the tree of the folder at path, and those below.
func (w *walker) walk(path string, tree plumbing.Hash, depth int) error {
	p := w.snap
	if depth > maxDepth || len(path) > maxPath || len(p.Files)+len(p.Folders) > maxEntries {
		return fmt.Errorf("tree at %q: %w", path, ErrTooMuch)
	}
	raw, err := w.read(tree)
	if err != nil {
		return err
	}
	p.Folders[path] = Folder{Tree: tree, Raw: raw}
	for name, e := range entriesOf(raw, &err) {
		full := join(path, name)
		if _, twice := p.Files[full]; twice {
			return fmt.Errorf("tree at %q: two entries are called %q", path, name)
		}
		if e.Mode != filemode.Dir {
			p.Files[full] = e
			continue
		}
		if err := w.walk(full, e.Blob, depth+1); err != nil {
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
func entriesOf(raw []byte, failed *error) iter.Seq2[string, Entry] {
	return func(yield func(string, Entry) bool) {
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
func firstEntry(raw []byte) (name string, e Entry, rest []byte, err error) {
	head, rest, ok := bytes.Cut(raw, []byte{0})
	mode, base, spaced := bytes.Cut(head, []byte{' '})
	bits, err := strconv.ParseUint(string(mode), 8, 32)
	if !ok || !spaced || err != nil || len(rest) < len(e.Blob) {
		return "", e, nil, errors.New("it is malformed")
	}
	name = string(base)
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
		return "", e, nil, fmt.Errorf("an entry is called %q", name)
	}
	e = Entry{Mode: filemode.FileMode(bits), Blob: plumbing.Hash(rest[:len(e.Blob)])}
	return name, e, rest[len(e.Blob):], nil
}

// Names are the trees and blobs that the remote holds because it holds the snapshot.
func (p *Snapshot) Names() map[plumbing.Hash]bool {
	names := make(map[plumbing.Hash]bool, len(p.Files)+len(p.Folders)+1)
	for _, e := range p.Files {
		names[e.Blob] = true
	}
	for _, f := range p.Folders {
		names[f.Tree] = true
	}
	return names
}
