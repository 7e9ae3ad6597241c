package ssh

import (
	"context"
	"errors"
	"maps"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

var _ targets.Eraser = (*Target)(nil)

// Erase removes the files from the folders of all releases, while it holds the place.
func (t *Target) Erase(ctx context.Context, e targets.Erasure) (left []string, err error) {
	res, err := t.takeSoon(ctx)
	if err == nil {
		err = t.erase(ctx, e)
		err = errors.Join(err, res.Release(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return nil, err
	}
	return []string{"backups and snapshots of the host's disk, and folders that are no release of mirror"}, nil
}

func (t *Target) erase(ctx context.Context, e targets.Erasure) error {
	live, err := t.Live(ctx)
	if err != nil {
		return err
	}
	if live.Release != e.Live.ID() {
		return conflict(live)
	}
	all, err := t.releases(ctx)
	if err != nil {
		return err
	}
	lists := map[site.ID]site.Manifest{}
	for _, id := range all.IDs() {
		if lists[id], err = t.ofRelease(ctx, releasedir.Link(string(id))); err != nil {
			return err
		}
	}
	gone := e.Digests(slices.Collect(maps.Values(lists)))
	if err := t.writeErased(ctx, gone); err != nil {
		return err
	}
	for _, name := range all.Copied() {
		id := releasedir.IDOfName(name)
		if err := t.eraseFrom(ctx, name, append(e.In(lists[id], gone), e.Paths...), e.Live, id); err != nil {
			return err
		}
	}
	return nil
}

// eraseFrom removes files from a copy of a release, or from what was being staged of one. Files of the live release
// stay.
func (t *Target) eraseFrom(ctx context.Context, name string, paths []string, live *site.Release, id site.ID) error {
	if id == live.ID() {
		paths = slices.DeleteFunc(paths, releasedir.Own(live.Manifest))
	}
	root, err := t.at(ctx, releasedir.Releases, name)
	if err == nil {
		err = t.host.RemoveAll(ctx, root, paths)
	}
	if err != nil {
		return err
	}
	l, err := t.readGrace(ctx, id)
	rest := l.Without(func(path string) bool { return slices.Contains(paths, path) })
	if err != nil || len(rest) == len(l) {
		return err
	}
	return t.writeGrace(ctx, id, rest)
}
