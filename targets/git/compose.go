package git

import (
	"context"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"mirror/site"
	"mirror/targets/git/internal/objects"
)

// compose lays a release out, with what is kept of the live branch.
func (t *Target) compose(ctx context.Context, rel *site.Release, ids map[site.Digest]plumbing.Hash, live *objects.Snapshot) (*layout, error) {
	l := &layout{
		files: make(map[string]objects.Entry, len(rel.Manifest)+3),
		blobs: make(map[plumbing.Hash]objects.Item, len(rel.Manifest)+3),
		said: objects.Trailers{
			Release: rel.ID(), Beacon: rel.BeaconPath, Own: ownOf(rel, t.keep), Sequence: rel.Sequence, Purged: live.Purged.Without(rel.ID()),
		},
	}
	for _, f := range rel.Manifest {
		id := ids[f.Digest]
		l.files[f.Path] = objects.Entry{Blob: id, Mode: filemode.Regular}
		l.blobs[id] = objects.Item{Kind: plumbing.BlobObject, Size: f.Size, Open: func() (io.ReadCloser, error) { return rel.OpenContext(ctx, f) }}
	}
	for path, text := range rel.Beside() {
		l.add(path, text)
	}
	t.addKept(live, l)
	return l, l.build()
}
