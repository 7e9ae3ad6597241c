package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/internal/releasedir"
)

var _ targets.Eraser = (*Target)(nil)

// Erase removes the files from the folders of all releases.
func (t *Target) Erase(ctx context.Context, e targets.Erasure) (left []string, err error) {
	err = t.locked(ctx, func(p *place) error {
		live, err := t.Live(ctx)
		switch {
		case err != nil:
			return err
		case live.Release != e.Live.ID():
			return fmt.Errorf("dir: %s is live: %w", live.Release.Short(), targets.ErrConflict)
		}
		return p.erase(ctx, e)
	})
	if err != nil {
		return nil, err
	}
	return []string{"backups and snapshots of the disk, and folders that are no release of mirror"}, nil
}

// erase removes what the lists of the releases name. The record comes first: what it names and what is there
// still is removed by the next call.
func (p *place) erase(ctx context.Context, e targets.Erasure) error {
	listing, err := p.listing()
	if err != nil {
		return err
	}
	lists := map[site.ID]site.Manifest{}
	for _, id := range listing.IDs() {
		if m, err := p.readList(id); err == nil {
			lists[id] = m
		}
	}
	gone := e.Digests(slices.Collect(maps.Values(lists)))
	if err := p.writeErased(p.readErased().With(gone, time.Now())); err != nil {
		return err
	}
	for _, name := range listing.Copied() {
		if err := ctx.Err(); err != nil {
			return err
		}
		id := releasedir.IDOfName(name)
		if err := p.eraseFrom(name, e.In(lists[id], gone), e, id); err != nil {
			return err
		}
	}
	return p.sync()
}

// eraseFrom removes files from a copy of a release, or from what was being staged of one. Files of the live release
// stay.
func (p *place) eraseFrom(name string, known []string, e targets.Erasure, id site.ID) error {
	info, err := p.releases.Lstat(name)
	if err != nil || !info.IsDir() {
		return nil
	}
	root, err := openOwn(p.releases, name)
	if err != nil {
		return err
	}
	defer root.Close()
	l := p.readGrace(id)
	var gone grace.List
	for _, file := range append(known, e.Paths...) {
		if _, own := e.Live.Manifest.Find(file); own && id == e.Live.ID() {
			continue
		}
		if err := root.RemoveAll(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if entry, listed := l.Find(file); listed {
			gone = append(gone, entry)
		}
	}
	if len(gone) == 0 {
		return syncFolders(root)
	}
	gone = gone.Sorted(len(gone))
	return errors.Join(p.writeGrace(id, l.Without(gone.Has)), syncFolders(root))
}
