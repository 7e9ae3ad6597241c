package githost

import (
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// fetch is what a client asked for.
type fetch struct {
	caps     capabilities
	wants    []plumbing.Hash
	shallows []plumbing.Hash // where the client's history ends
	depth    int             // 0 for all of it
	filter   filter
}

// history is the part of the commits' graph that a client wants.
type history struct {
	commits   []plumbing.Hash // the nearest to what is wanted first
	others    []plumbing.Hash // wanted objects that are no commits
	shallow   []plumbing.Hash // ends that the client does not know of
	unshallow []plumbing.Hash // ends of the client's that are ends no more
}

// commits walks from what is wanted as deep as is wanted.
func (r *repository) commits(f *fetch) (*history, error) {
	h := &history{}
	level, err := r.starts(f.wants, h)
	if err != nil {
		return nil, err
	}
	ends, seen := setOf(f.shallows), setOf(level)
	for depth := 1; len(level) > 0; depth++ {
		var next []plumbing.Hash
		for _, name := range level {
			if !h.pass(name, f.depth > 0, depth == f.depth, ends[name]) {
				continue
			}
			c, err := object.GetCommit(r.objects, name)
			if err != nil {
				return nil, err
			}
			for _, p := range c.ParentHashes {
				if !seen[p] {
					seen[p] = true
					next = append(next, p)
				}
			}
		}
		level = next
	}
	return h, nil
}

// pass takes a commit into the history and says whether the walk goes on behind it.
func (h *history) pass(name plumbing.Hash, deepen, last, end bool) bool {
	h.commits = append(h.commits, name)
	switch {
	case last && !end:
		h.shallow = append(h.shallow, name)
	case deepen && !last && end:
		h.unshallow = append(h.unshallow, name)
	}
	return !last && (deepen || !end) // without a new depth the client's ends stay ends
}

// starts gives the wanted commits, those behind tags included; the rest goes to h.others.
func (r *repository) starts(wants []plumbing.Hash, h *history) ([]plumbing.Hash, error) {
	var commits []plumbing.Hash
	seen := map[plumbing.Hash]bool{}
	for todo := slices.Clone(wants); len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		if seen[name] {
			continue
		}
		seen[name] = true
		e, ok := r.find(name)
		if !ok {
			return nil, plumbing.ErrObjectNotFound
		}
		if e.kind == plumbing.CommitObject {
			commits = append(commits, name)
			continue
		}
		h.others = append(h.others, name)
		if e.kind == plumbing.TagObject {
			tag, err := object.GetTag(r.objects, name)
			if err != nil {
				return nil, err
			}
			todo = append(todo, tag.Target)
		}
	}
	return commits, nil
}

// choose lists the objects to send: those of the history that do not lie behind what is
// common and that pass the client's filter, and those that it names, filter or not.
func (r *repository) choose(f *fetch, cut *history, common []plumbing.Hash) ([]plumbing.Hash, error) {
	s := newSelection(r, f.filter)
	had, err := r.behind(common, setOf(f.shallows))
	if err != nil {
		return nil, err
	}
	for _, h := range common {
		if err := s.root(h); err != nil {
			return nil, err
		}
	}
	s.names = nil // what is common is marked as taken, and not sent
	for _, h := range cut.others {
		s.names = append(s.names, h)
		s.taken[h] = true
		if err := s.root(h); err != nil {
			return nil, err
		}
	}
	for _, h := range cut.commits {
		if had[h] {
			continue
		}
		s.names = append(s.names, h)
		if err := s.root(h); err != nil {
			return nil, err
		}
	}
	return s.names, nil
}

// behind is the set of the commits that a client has who has those in tips, where its
// history ends at ends.
func (r *repository) behind(tips []plumbing.Hash, ends map[plumbing.Hash]bool) (map[plumbing.Hash]bool, error) {
	had := setOf(tips)
	for todo := slices.Clone(tips); len(todo) > 0; {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if e, _ := r.find(name); e.kind != plumbing.CommitObject || ends[name] {
			continue
		}
		c, err := object.GetCommit(r.objects, name)
		if err != nil {
			return nil, err
		}
		for _, p := range c.ParentHashes {
			if !had[p] {
				had[p] = true
				todo = append(todo, p)
			}
		}
	}
	return had, nil
}

func setOf(names []plumbing.Hash) map[plumbing.Hash]bool {
	set := make(map[plumbing.Hash]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}
