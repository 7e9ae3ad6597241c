package git

import (
	"context"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Bounds of what one look into the past may cost.
const (
	maxPast      = 64   // commits
	maxPastBlobs = 4096 // files that are fetched one by one
	pageLimit    = 256  // KiB; larger files are left out where none can be fetched alone
)

// Past lists the commits of the branch, the newest first. Their trees are fetched, and of the
// files only those of the paths in of: one by one where the server allows that, else all of
// the branch's small ones, as far as the bounds go; a digest that was not to be had is zero.
// Commits without parents are followed as far as they are still staged.
func (t *Target) Past(ctx context.Context, limit int, of []string) (past []site.Past, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	head := s.Refs[t.branch]
	limit = min(limit, maxPast)
	if head.IsZero() || limit <= 0 {
		return nil, nil
	}
	wants := t.wantsOf(s, limit)
	trees, err := t.fetchWithin(ctx, s, wire.Wish{Wants: wants, Depth: limit, Filter: packp.FilterBlobNone()})
	if err != nil {
		return nil, err
	}
	defer trees.Close()
	v := newVisit(of, t.keep)
	v.all(ctx, trees, line(trees, wants, limit))
	if len(v.past) == 0 && v.err != nil {
		return nil, v.err
	}
	if v.digest(ctx, trees); len(v.order) > 0 { // a server without filters has sent all
		err = t.fillIn(ctx, s, wants, limit, v)
	}
	return v.past, err
}

// wantsOf are the branch's head, and where commits have no parents those that are staged.
func (t *Target) wantsOf(s *wire.Session, limit int) []plumbing.Hash {
	wants := []plumbing.Hash{s.Refs[t.branch]}
	if t.last == 0 {
		return wants
	}
	for ref, hash := range s.Refs {
		if _, ours := stagedID(ref); ours && !slices.Contains(wants, hash) && len(wants) < 2*limit {
			wants = append(wants, hash)
		}
	}
	return wants
}

// visit gathers the past from trees.
type visit struct {
	of    map[string]bool
	keep  targets.Keep // where no commit of ours says what was kept
	past  []site.Past
	blobs map[plumbing.Hash][]*site.File // whose digests are to be filled in
	order []plumbing.Hash                // of blobs that are not known, those of the newest commits first
	err   error                          // why a commit was left out
}

func newVisit(of []string, keep targets.Keep) *visit {
	v := &visit{keep: keep, of: make(map[string]bool, len(of)), blobs: map[plumbing.Hash][]*site.File{}}
	for _, path := range of {
		v.of[path] = true
	}
	return v
}

// all takes the commits in. What a commit of others holds beside the site is told by the
// last commit of ours before it.
func (v *visit) all(ctx context.Context, s *objects.Store, commits []objects.Commit) {
	for i, c := range commits {
		if v.err = ctx.Err(); v.err != nil {
			return
		}
		if c.Vacant || c.Rescue && i+1 < len(commits) && commits[i+1].Release == c.Release {
			continue // the commit before says when the release went live
		}
		ours := objects.Trailers{Keep: v.keep}
		for _, earlier := range commits[i:] {
			if earlier.Release != site.None || earlier.Vacant {
				ours = earlier.Trailers
				break
			}
		}
		snap, err := s.Snapshot(c.Hash)
		if err != nil {
			v.err = err
			continue
		}
		v.past = append(v.past, site.Past{Release: c.Release, Published: c.When, Manifest: v.paths(snap, ours)})
	}
}

// paths lists a commit's files without those that are ours, and notes which blobs are asked for.
func (v *visit) paths(snap *objects.Snapshot, ours objects.Trailers) site.Manifest {
	m := make(site.Manifest, 0, len(snap.Files))
	for path := range snap.Files {
		if !ours.Beside(path) {
			m = append(m, site.File{Path: path})
		}
	}
	m.Sort()
	for i := range m {
		e := snap.Files[m[i].Path]
		if !v.of[m[i].Path] || e.Mode == filemode.Submodule {
			continue
		}
		if v.blobs[e.Blob] == nil {
			v.order = append(v.order, e.Blob)
		}
		v.blobs[e.Blob] = append(v.blobs[e.Blob], &m[i])
	}
	return m
}

// fillIn finds the digests that are asked for, each blob once.
func (t *Target) fillIn(ctx context.Context, s *wire.Session, wants []plumbing.Hash, depth int, v *visit) error {
	if len(v.order) > maxPastBlobs {
		v.order = v.order[:maxPastBlobs]
	}
	if s.Caps.Supports(capability.AllowReachableSHA1InWant) || s.Caps.Supports(capability.AllowTipSHA1InWant) {
		got, err := t.fetchWithin(ctx, s, wire.Wish{Wants: v.order})
		if err == nil {
			v.digest(ctx, got)
			return got.Close()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.log.Debug("the server gives no single files", "err", err)
	}
	got, err := t.fetchWithin(ctx, s, wire.Wish{Wants: wants, Depth: depth, Filter: packp.FilterBlobLimit(pageLimit, packp.BlobLimitPrefixKibi)})
	if err != nil {
		t.log.Warn("the bytes of past pages could not be fetched; only their paths are known", "err", err)
		return ctx.Err()
	}
	v.digest(ctx, got)
	return got.Close()
}

// digest sets the digests of the blobs that the store has; the others stay in order.
func (v *visit) digest(ctx context.Context, s *objects.Store) {
	v.order = slices.DeleteFunc(v.order, func(blob plumbing.Hash) bool {
		f, err := s.Hash(ctx, blob)
		if err != nil {
			return false
		}
		for _, file := range v.blobs[blob] {
			file.Size, file.Digest = f.Size, f.Digest
		}
		return true
	})
}
