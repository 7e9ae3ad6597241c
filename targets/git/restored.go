package git

import (
	"context"
	"io"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/site"
	"mirror/targets/git/internal/objects"
)

// restored is a commit's files in a pack of its own.
type restored struct {
	manifest site.Manifest
	blobs    map[string]plumbing.Hash

	reading sync.Mutex // the store answers one at a time
	store   *objects.Store
}

// Manifest returns the release's files, from their bytes.
func (r *restored) Manifest() site.Manifest { return r.manifest }

// Copy unpacks a file of the commit.
func (r *restored) Copy(ctx context.Context, w io.Writer, f site.File) error {
	r.reading.Lock()
	defer r.reading.Unlock()
	return r.store.CopyBlob(ctx, r.blobs[f.Path], w)
}

// Close deletes the pack.
func (r *restored) Close() error { return r.store.Close() }
