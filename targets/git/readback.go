package git

import (
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"mirror/site"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// ReadBack fetches the head with all its contents and hashes them.
func (t *Target) ReadBack(ctx context.Context) (m site.Manifest, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	hash := s.Refs[t.branch]
	if hash.IsZero() {
		return nil, nil
	}
	store, err := t.fetch(ctx, s, hash, 1, "")
	if err != nil {
		return nil, err
	}
	defer store.Close()
	snap, err := store.Snapshot(hash)
	if err != nil {
		return nil, err
	}
	ours, err := t.ours(ctx, snap.Commit)
	if err != nil {
		return nil, err
	}
	return manifestOf(ctx, store, snap, ours)
}

// manifestOf hashes the files of a snapshot, without those that are ours.
func manifestOf(ctx context.Context, s *objects.Store, snap *objects.Snapshot, ours objects.Trailers) (site.Manifest, error) {
	m := make(site.Manifest, 0, len(snap.Files))
	seen := map[plumbing.Hash]site.File{}
	for path, e := range snap.Files {
		if ours.Beside(path) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, ok := seen[e.Blob]
		if !ok && e.Mode != filemode.Submodule { // a submodule has no bytes here
			var err error
			if f, err = s.Hash(ctx, e.Blob); err != nil {
				return nil, fmt.Errorf("%q: %w", path, err)
			}
			seen[e.Blob] = f
		}
		f.Path = path
		m = append(m, f)
	}
	m.Sort()
	return m, nil
}
