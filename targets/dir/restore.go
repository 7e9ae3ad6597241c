package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"mirror/internal/pointer"
	"mirror/internal/regular"
	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets"
)

var _ targets.Restorer = (*Target)(nil)

// Restore opens the newest copy of a release, and hashes all of it before.
func (t *Target) Restore(ctx context.Context, id site.ID) (targets.Restored, error) {
	p, err := t.open(false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", targets.ErrNotHeld, err)
	}
	defer p.Close()
	if p.releases == nil {
		return nil, fmt.Errorf("dir: %s: %w", id.Short(), targets.ErrNotHeld)
	}
	names, _, err := p.copies(id)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("dir: %s: %w", id.Short(), targets.ErrNotHeld)
	}
	if list, err := p.readList(id); err == nil {
		if err := p.readErased().Refuse(id, list); err != nil {
			return nil, fmt.Errorf("dir: %w", err)
		}
	}
	root, err := openOwn(p.releases, names[len(names)-1])
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	m, err := p.intact(ctx, root, id)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &restored{m, root}, nil
}

// intact reads all of a copy. One that was altered is not held.
func (p *place) intact(ctx context.Context, root *os.Root, id site.ID) (site.Manifest, error) {
	kept := p.keep.Match
	list, err := p.readList(id)
	if err == nil {
		kept = p.beside(id, list)
	}
	m, _, err := readBeside(ctx, root, kept)
	if err == nil && m.ID() != id {
		err = fmt.Errorf("dir: the copy of %s was altered: %w", id.Short(), targets.ErrNotHeld)
	}
	return m, err
}

// restored is a copy of a release.
type restored struct {
	manifest site.Manifest
	root     *os.Root
}

// Manifest returns the list of the release.
func (r *restored) Manifest() site.Manifest { return r.manifest }

// Copy reads a file of the copy, and nothing outside of it.
func (r *restored) Copy(ctx context.Context, w io.Writer, f site.File) error {
	file, err := regular.OpenOwn(r.root, f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, wait.Reader(ctx, file))
	return err
}

// Close ends the reading.
func (r *restored) Close() error { return r.root.Close() }

// isLive reports whether the link names a copy.
func (p *place) isLive(name string) bool {
	to, err := pointer.Read(filepath.Join(p.root.Name(), current))
	return err == nil && to == path.Join(releases, name)
}

// liveSequence returns the sequence of the live beacon, 0 where there is none.
func (t *Target) liveSequence(beaconPath string) int64 {
	if beaconPath == "" {
		return 0
	}
	root, err := t.openServed()
	if err != nil {
		return 0
	}
	defer root.Close()
	b, _ := readBeacon(root, beaconPath)
	return b.Sequence
}
