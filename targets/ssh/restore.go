package ssh

import (
	"context"
	"fmt"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// Restore opens the newest copy of a release, and hashes all of it before.
func (t *Target) Restore(ctx context.Context, id site.ID) (targets.Restored, error) {
	all, err := t.releases(ctx)
	if err != nil {
		return nil, err
	}
	names, _ := all.Copies(id)
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: %w", id.Short(), targets.ErrNotHeld)
	}
	root, err := t.at(ctx, releasedir.Releases, names[len(names)-1])
	if err != nil {
		return nil, err
	}
	list, err := t.ofRelease(ctx, releasedir.Link(string(id)))
	if err != nil {
		return nil, err
	}
	gone, err := t.readErased(ctx)
	if err == nil {
		err = t.refuseErased(ctx, gone, root, id, list)
	}
	if err != nil {
		return nil, err
	}
	kept, err := t.besideOf(ctx, id, list)
	if err != nil {
		return nil, err
	}
	s, err := t.read(ctx, look{root: root, list: list, kept: kept})
	if err == nil && s.Files.ID() != id {
		err = fmt.Errorf("the copy of %s was altered: %w", id.Short(), targets.ErrNotHeld)
	}
	return &restored{t.host, root, s.Files}, err
}
