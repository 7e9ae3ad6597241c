package ssh

import (
	"context"
	"path"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

var _ targets.PurgedLister = (*Target)(nil)

// Purged lists the releases whose newest copy lacks files that Erase removed.
func (t *Target) Purged(ctx context.Context, past []site.Past) (targets.Purged, error) {
	record, err := t.readErased(ctx)
	if err != nil || len(record) == 0 {
		return nil, err
	}
	gone := targets.Purged{}
	all, err := t.releases(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range past {
		names, _ := all.Copies(one.Release)
		if len(names) == 0 {
			continue
		}
		root, err := t.at(ctx, releasedir.Releases, names[len(names)-1])
		if err != nil {
			return nil, err
		}
		gone.Note(t.refuseErased(ctx, record, root, one.Release, one.Manifest))
	}
	return gone, ctx.Err()
}

// refuseErased returns an error where a copy of a release, in the folder root, lacks files that were erased.
func (t *Target) refuseErased(ctx context.Context, l targets.Erased, root string, id site.ID, m site.Manifest) error {
	return l.Refuse(id, m, func(f site.File) bool {
		info, err := t.host.Lstat(ctx, path.Join(root, f.Path))
		return err == nil && info.Mode().IsRegular()
	})
}
