package githost

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// filter is which objects behind the commits a client wants
// (git rev-list --filter; combined filters are not supported).
type filter struct {
	blobs int64 // only smaller ones
	depth int   // only above this depth, the root tree's being 0
}

// everything is no filter.
var everything = filter{blobs: math.MaxInt64, depth: maxDepth}

func parseFilter(spec string) (filter, error) {
	f := everything
	kind, value, _ := strings.Cut(spec, ":")
	switch {
	case spec == "blob:none":
		f.blobs = 0
		return f, nil
	case kind == "tree":
		n, err := strconv.ParseUint(value, 10, 31)
		if err == nil {
			f.depth = min(int(n), maxDepth)
			return f, nil
		}
	case strings.HasPrefix(value, "limit=") && kind == "blob":
		n, err := parseSize(strings.TrimPrefix(value, "limit="))
		if err == nil {
			f.blobs = n
			return f, nil
		}
	}
	return f, fmt.Errorf("the filter %q is not supported", spec)
}

// parseSize reads a number of bytes, with git's k, m or g behind it.
func parseSize(text string) (int64, error) {
	unit := int64(1)
	for i, suffix := range []string{"k", "m", "g"} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = number, 1024<<(10*i)
		}
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	return n * unit, err
}

// selection gathers the trees and blobs that pass a filter, each once.
type selection struct {
	repo   *repository
	filter filter
	taken  map[plumbing.Hash]bool
	opened map[plumbing.Hash]int // trees, and the least depth at which they were looked into
	names  []plumbing.Hash
}

func newSelection(r *repository, f filter) *selection {
	return &selection{repo: r, filter: f, taken: map[plumbing.Hash]bool{}, opened: map[plumbing.Hash]int{}}
}

// root takes what lies behind a commit or below a tree; nothing lies behind other objects.
func (s *selection) root(h plumbing.Hash) error {
	e, _ := s.repo.find(h)
	switch e.kind {
	case plumbing.CommitObject:
		c, err := object.GetCommit(s.repo.objects, h)
		if err != nil {
			return err
		}
		return s.tree(c.TreeHash, 0)
	case plumbing.TreeObject:
		return s.tree(h, 0)
	}
	return nil
}

func (s *selection) tree(h plumbing.Hash, depth int) error {
	if at, ok := s.opened[h]; depth >= s.filter.depth || ok && at <= depth {
		return nil
	}
	s.opened[h] = depth
	s.take(h)
	t, err := object.GetTree(s.repo.objects, h)
	if err != nil {
		return err
	}
	for _, child := range treeHashes(t) {
		e, _ := s.repo.find(child)
		switch {
		case e.kind == plumbing.TreeObject:
			err = s.tree(child, depth+1)
		case e.at.Size < s.filter.blobs && depth+1 < s.filter.depth:
			s.take(child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *selection) take(h plumbing.Hash) {
	if !s.taken[h] {
		s.taken[h] = true
		s.names = append(s.names, h)
	}
}
