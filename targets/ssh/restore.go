package ssh

import (
	"context"
	"fmt"
	"io"
	"path"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/ssh/internal/remote"
)

// Restore opens the newest copy of a release, and hashes all of it before.
func (t *Target) Restore(ctx context.Context, id site.ID) (targets.Restored, error) {
	all, err := t.releases(ctx)
	if err != nil {
		return nil, err
	}
	names, _ := all.copies(id)
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: %w", id.Short(), targets.ErrNotHeld)
	}
	root, err := t.at(ctx, releases, names[len(names)-1])
	if err != nil {
		return nil, err
	}
	list, err := t.ofRelease(ctx, path.Join(releases, string(id)))
	if err != nil {
		return nil, err
	}
	gone, err := t.readErased(ctx)
	if err == nil {
		err = gone.Refuse(id, list)
	}
	if err != nil {
		return nil, err
	}
	kept, err := t.besideOf(ctx, id, list)
	if err != nil {
		return nil, err
	}
	s, err := t.read(ctx, look{root: root, list: list, kept: kept})
	if err == nil && s.files.ID() != id {
		err = fmt.Errorf("the copy of %s was altered: %w", id.Short(), targets.ErrNotHeld)
	}
	return &restored{t.host, root, s.files}, err
}

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
