package ssh

import (
	"context"
	"io"
	"path"

	"mirror/site"
	"mirror/targets/ssh/internal/remote"
)

// restored is a copy of a release.
type restored struct {
	host  *remote.Host
	root  string
	files site.Manifest
}

// Manifest returns the list of the release.
func (r *restored) Manifest() site.Manifest { return r.files }

// Copy reads a file of the copy.
func (r *restored) Copy(ctx context.Context, w io.Writer, f site.File) error {
	return r.host.Read(ctx, path.Join(r.root, f.Path), w, f.Size)
}

// Close has nothing to do.
func (*restored) Close() error { return nil }
