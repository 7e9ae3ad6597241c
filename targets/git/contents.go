package git

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// ReadContents fetches single files of the branch's head where the server allows that, and all files
// up to the limit where it does not.
func (t *Target) ReadContents(ctx context.Context, paths []string, limit int64) (contents map[string][]byte, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	head := s.Refs[t.branch]
	live, err := t.snapshot(ctx, s, head)
	if err != nil {
		return nil, err
	}
	wanted := map[string]plumbing.Hash{}
	for _, path := range paths {
		if e, ok := live.Files[path]; ok && (e.Mode == filemode.Regular || e.Mode == filemode.Executable) {
			wanted[path] = e.Blob
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	store, err := t.fetchBlobs(ctx, s, head, wanted, limit)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	contents = map[string][]byte{}
	for path, blob := range wanted {
		if text, err := store.Read(plumbing.BlobObject, blob, limit); err == nil {
			contents[path] = text
		}
	}
	return contents, ctx.Err()
}

// fetchBlobs fetches single blobs, or the commit with all that are not larger than the limit.
func (t *Target) fetchBlobs(ctx context.Context, s *wire.Session, head plumbing.Hash, wanted map[string]plumbing.Hash, limit int64) (*objects.Store, error) {
	if s.Caps.Supports(capability.AllowReachableSHA1InWant) || s.Caps.Supports(capability.AllowTipSHA1InWant) {
		seen := map[plumbing.Hash]bool{}
		var w wire.Wish
		for _, blob := range wanted {
			if !seen[blob] {
				seen[blob] = true
				w.Wants = append(w.Wants, blob)
			}
		}
		store, err := t.fetchWithin(ctx, s, w)
		if err == nil || ctx.Err() != nil {
			return store, err
		}
		t.log.Debug("the server gives no single files", "err", err)
	}
	small := packp.FilterBlobLimit(uint64(limit>>10+1), packp.BlobLimitPrefixKibi)
	return t.fetchWithin(ctx, s, wire.Wish{Wants: []plumbing.Hash{head}, Depth: 1, Filter: small})
}
