package ssh

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets"
)

var _ targets.Eraser = (*Target)(nil)

// erasedFile records what was removed from here, beside the releases.
const erasedFile = ".mirror.erased"

// Erase removes the files from the folders of all releases, while it holds the place.
func (t *Target) Erase(ctx context.Context, e targets.Erasure) (left []string, err error) {
	res, err := t.takeSoon(ctx)
	if err == nil {
		err = t.erase(ctx, e)
		err = errors.Join(err, res.Release(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return nil, fmt.Errorf("purge: %w", err)
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
	for name := range all.names {
		id := releaseOf(path.Join(releases, name))
		if _, known := lists[id]; known || id == site.None {
			continue
		}
		if lists[id], err = t.ofRelease(ctx, path.Join(releases, string(id))); err != nil {
			return err
		}
	}
	var manifests []site.Manifest
	for _, m := range lists {
		manifests = append(manifests, m)
	}
	gone := e.Digests(manifests)
	if err := t.writeErased(ctx, gone); err != nil {
		return err
	}
	for name, info := range all.names {
		id := releaseOf(path.Join(releases, name))
		if id == site.None || !info.IsDir() {
			continue
		}
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
		paths = slices.DeleteFunc(paths, isOwn(live.Manifest))
	}
	root, err := t.at(ctx, releases, name)
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

// readErased reads the record.
func (t *Target) readErased(ctx context.Context) (targets.Erased, error) {
	name, err := t.at(ctx, erasedFile)
	if err != nil {
		return nil, err
	}
	text, err := t.host.ReadFile(ctx, name, targets.MaxErasedBytes)
	if err != nil {
		return nil, ctx.Err()
	}
	return targets.DecodeErased(text), nil
}

func (t *Target) writeErased(ctx context.Context, gone map[site.Digest]string) error {
	if len(gone) == 0 {
		return nil
	}
	old, err := t.readErased(ctx)
	if err != nil {
		return err
	}
	folder, err := t.at(ctx)
	if err != nil {
		return err
	}
	made := erasedFile + "." + t.publisher + partial
	if err := t.host.RemoveAll(ctx, folder, []string{made}); err != nil {
		return err
	}
	if err := t.host.WriteFile(ctx, path.Join(folder, made), old.With(gone, time.Now()).Encode(), 0o600); err != nil {
		return err
	}
	return t.host.Replace(ctx, path.Join(folder, made), path.Join(folder, erasedFile))
}
