package dir

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"mirror/site"
	"mirror/targets"
)

var _ targets.PurgedLister = (*Target)(nil)

// Purged lists the releases whose newest copy lacks files that Erase removed.
func (t *Target) Purged(ctx context.Context, past []site.Past) (targets.Purged, error) {
	p, err := t.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer p.Close()
	record := p.readErased()
	if len(record) == 0 || p.releases == nil {
		return nil, nil
	}
	gone := targets.Purged{}
	all, err := p.listing()
	if err != nil {
		return nil, err
	}
	for _, one := range past {
		names, _ := all.Copies(one.Release)
		if len(names) > 0 {
			gone.Note(p.refuseErased(record, names[len(names)-1], one.Release, one.Manifest))
		}
	}
	return gone, ctx.Err()
}

// refuseErased returns an error where a copy of a release lacks files that were erased.
func (p *place) refuseErased(l targets.Erased, name string, id site.ID, m site.Manifest) error {
	return l.Refuse(id, m, func(f site.File) bool {
		info, err := p.releases.Lstat(path.Join(name, f.Path))
		return err == nil && info.Mode().IsRegular()
	})
}
