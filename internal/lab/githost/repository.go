package githost

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// repository is objects and references. A reference moves only from the value that the
// mover saw, and only to a commit of which every object is there.
type repository struct {
	*objects
	branch plumbing.ReferenceName // HEAD
	moved  func(ref plumbing.ReferenceName, to plumbing.Hash)

	mu    sync.Mutex
	refs  map[plumbing.ReferenceName]plumbing.Hash
	whole map[plumbing.Hash]bool // commits and trees known to have all their objects
}

// move is the change of one reference; the zero hash stands for none.
type move struct {
	ref      plumbing.ReferenceName
	old, new plumbing.Hash
}

func newRepository(store *objects, branch string) *repository {
	return &repository{
		objects: store,
		branch:  plumbing.NewBranchReferenceName(branch),
		moved:   func(plumbing.ReferenceName, plumbing.Hash) {},
		refs:    map[plumbing.ReferenceName]plumbing.Hash{},
		whole:   map[plumbing.Hash]bool{},
	}
}

func (r *repository) references() map[plumbing.ReferenceName]plumbing.Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.refs)
}

func (r *repository) tip() plumbing.Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refs[r.branch]
}

// apply makes the moves, each by compare-and-swap under one lock, and returns why each
// was refused, nil where it was made. If atomic, all are made or none.
func (r *repository) apply(moves []move, atomic bool) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	refusals := make([]error, len(moves))
	refused := false
	for i, m := range moves {
		refusals[i] = r.refusal(m)
		refused = refused || refusals[i] != nil
		if refusals[i] == nil && !atomic {
			r.make(m)
		}
	}
	if !atomic {
		return refusals
	}
	for i, m := range moves {
		switch {
		case !refused:
			r.make(m)
		case refusals[i] == nil:
			refusals[i] = errors.New("atomic push failure")
		}
	}
	return refusals
}

func (r *repository) make(m move) {
	if m.new.IsZero() {
		delete(r.refs, m.ref)
	} else {
		r.refs[m.ref] = m.new
	}
	r.moved(m.ref, m.new)
}

// refusal says why a move cannot be made, in the words of git's own server.
func (r *repository) refusal(m move) error {
	if !strings.HasPrefix(m.ref.String(), "refs/") || m.ref.Validate() != nil {
		return errors.New("funny refname")
	}
	if now := r.refs[m.ref]; now != m.old {
		return fmt.Errorf("cannot lock ref '%s': is at %s but expected %s", m.ref, now, m.old)
	}
	if m.new.IsZero() {
		return nil
	}
	for other := range r.refs {
		if other != m.ref && (below(other, m.ref) || below(m.ref, other)) {
			return fmt.Errorf("cannot lock ref '%s': '%s' exists", m.ref, other)
		}
	}
	if err := r.complete(m.new); err != nil {
		return fmt.Errorf("missing necessary objects: %w", err)
	}
	if e, _ := r.find(m.new); m.ref.IsBranch() && e.kind != plumbing.CommitObject {
		return errors.New("a branch must point to a commit")
	}
	return nil
}

func below(ref, parent plumbing.ReferenceName) bool {
	return strings.HasPrefix(ref.String(), parent.String()+"/")
}

// complete checks that an object and all that it refers to are there.
func (r *repository) complete(tip plumbing.Hash) error {
	seen := map[plumbing.Hash]bool{tip: true}
	for todo := []plumbing.Hash{tip}; len(todo) > 0; {
		h := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		more, err := r.refersTo(h)
		if err != nil {
			return fmt.Errorf("%s: %w", h, err)
		}
		for _, m := range more {
			e, ok := r.find(m)
			if !ok {
				return fmt.Errorf("%s, named by %s: %w", m, h, plumbing.ErrObjectNotFound)
			}
			if e.kind != plumbing.BlobObject && !seen[m] && !r.whole[m] {
				seen[m] = true
				todo = append(todo, m)
			}
		}
	}
	maps.Copy(r.whole, seen)
	return nil
}

// refersTo lists the objects that an object names. Submodules name none of ours.
func (r *repository) refersTo(h plumbing.Hash) ([]plumbing.Hash, error) {
	e, ok := r.find(h)
	if !ok {
		return nil, plumbing.ErrObjectNotFound
	}
	switch e.kind {
	case plumbing.CommitObject:
		c, err := object.GetCommit(r.objects, h)
		if err != nil {
			return nil, err
		}
		return append(c.ParentHashes, c.TreeHash), nil
	case plumbing.TreeObject:
		t, err := object.GetTree(r.objects, h)
		if err != nil {
			return nil, err
		}
		return treeHashes(t), nil
	case plumbing.TagObject:
		t, err := object.GetTag(r.objects, h)
		if err != nil {
			return nil, err
		}
		return []plumbing.Hash{t.Target}, nil
	}
	return nil, nil
}
