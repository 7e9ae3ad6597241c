package dir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mirror/internal/pointer"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
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
	all, err := p.listing()
	if err != nil {
		return nil, err
	}
	names, _ := all.Copies(id)
	if len(names) == 0 {
		return nil, fmt.Errorf("dir: %s: %w", id.Short(), targets.ErrNotHeld)
	}
	if list, err := p.readList(id); err == nil {
		if err := p.refuseErased(p.readErased(), names[len(names)-1], id, list); err != nil {
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

// isLive reports whether the link names a copy.
func (p *place) isLive(name string) bool {
	to, err := pointer.Read(filepath.Join(p.root.Name(), releasedir.Current))
	return err == nil && to == releasedir.Link(name)
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
