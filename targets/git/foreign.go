package git

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/site"
	"mirror/targets/git/internal/objects"
)

// recorded reports whether the branch holds a record of a release that was live there: a commit
// of ours within searchDepth or, where the history was rewritten, a beacon in the tree. The
// staged releases of the repository are none: they may be those of another branch.
func (t *Target) recorded(ctx context.Context, live *objects.Snapshot, beaconPath string) bool {
	c, err := t.search(ctx, live.Commit, func(c objects.Commit) bool { return c.Named || c.Vacant })
	if err != nil {
		t.log.Warn("the branch's history cannot be read", "err", err)
	}
	return c.Named || c.Vacant || t.hasBeacon(ctx, live, beaconPath)
}

// hasBeacon reads the file at the beacon's path.
func (t *Target) hasBeacon(ctx context.Context, live *objects.Snapshot, path string) bool {
	e, ok := live.Files[path]
	if !ok || e.Mode != filemode.Regular {
		return false
	}
	store, err := t.fetch(ctx, nil, live.Hash, 1, packp.FilterBlobLimit(site.MaxBeacon>>10+1, packp.BlobLimitPrefixKibi))
	if err != nil {
		return false
	}
	defer store.Close()
	text, err := store.Read(plumbing.BlobObject, e.Blob, site.MaxBeacon)
	if err != nil {
		return false
	}
	_, err = site.ParseBeacon(text)
	return err == nil
}
