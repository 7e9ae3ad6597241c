package git

import (
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/site"
	"mirror/targets/git/internal/wire"
)

const (
	stagePrefix    = "refs/mirror/"
	fallbackPrefix = "refs/heads/mirror/" // for hosts that take nothing but branches and tags
)

// stageRefs are the names that a release is staged under, the better one first.
func stageRefs(id site.ID) [2]plumbing.ReferenceName {
	return [2]plumbing.ReferenceName{
		plumbing.ReferenceName(stagePrefix + string(id)), plumbing.ReferenceName(fallbackPrefix + string(id)),
	}
}

// staged finds the commit that a release is staged as.
func (t *Target) staged(s *wire.Session, id site.ID) (plumbing.ReferenceName, plumbing.Hash) {
	for _, name := range stageRefs(id) {
		if h := s.Refs[name]; !h.IsZero() {
			return name, h
		}
	}
	return "", plumbing.ZeroHash
}

// stagedRefs are the commits that releases are staged as.
func stagedRefs(s *wire.Session) map[site.ID]plumbing.Hash {
	staged := map[site.ID]plumbing.Hash{}
	for ref, hash := range s.Refs {
		if id, ours := stagedID(ref); ours {
			staged[id] = hash
		}
	}
	return staged
}

// stagedID tells which release a ref stages, and whether it is one of ours at all.
func stagedID(ref plumbing.ReferenceName) (site.ID, bool) {
	for _, prefix := range []string{stagePrefix, fallbackPrefix} {
		if rest, ok := strings.CutPrefix(string(ref), prefix); ok {
			id, err := site.ParseID(rest)
			return id, err == nil && string(id) == rest
		}
	}
	return site.None, false
}
