package s3

import (
	"context"
	"fmt"

	"mirror/site"
	"mirror/targets"
)

// Live tells what the pointer names.
func (p Pointed) Live(ctx context.Context) (targets.Live, error) {
	now, err := p.t.readPointer(ctx)
	if err == nil && now.pointerDoc != nil {
		return now.live(), nil
	}
	if err == nil {
		_, listed, listErr := p.at(ctx)
		return liveAt(now, listed), wrapped("look what is live", listErr)
	}
	return targets.Live{}, wrapped("look what is live", err)
}

// Commit moves the pointer.
func (p Pointed) Commit(ctx context.Context, s targets.Swap) error {
	now, listed, err := p.at(ctx)
	if err != nil {
		return wrapped("commit", err)
	}
	live := liveAt(now, listed)
	if now.pointerDoc != nil && now.Release == s.To {
		return nil
	}
	if live.Revision != s.From.Revision {
		return fmt.Errorf("%w: release %s is live", targets.ErrConflict, live.Release.Short())
	}
	l, err := p.stagedList(ctx, s.To)
	if err != nil {
		return err
	}
	next, err := now.after(s.To, s.From)
	if err == nil {
		next.Grace, err = p.graceFor(ctx, now, l)
	}
	if err == nil {
		err = p.t.movePointer(ctx, now, next)
	}
	return wrapped("commit", err)
}

// stagedList returns the list of a release, and ErrNotStaged where its folder does not hold all of it.
func (p Pointed) stagedList(ctx context.Context, id site.ID) (folderList, error) {
	l, err := p.readList(ctx, id)
	if err != nil {
		return l, wrapped("commit", err)
	}
	if l.Release != id {
		return l, fmt.Errorf("%w: %s", targets.ErrNotStaged, id.Short())
	}
	there, err := p.folder(ctx, id)
	if err != nil {
		return l, wrapped("commit", err)
	}
	for _, e := range l.Files {
		if o, ok := there[e.Path]; !ok || o.Size != e.Size {
			return l, fmt.Errorf("%w: the content of %q is not in the bucket", targets.ErrNotStaged, e.Path)
		}
	}
	return l, nil
}

// Rollback moves the pointer back.
func (p Pointed) Rollback(ctx context.Context, s targets.Swap) error {
	now, listed, err := p.at(ctx)
	if err != nil {
		return wrapped("roll back", err)
	}
	live := liveAt(now, listed)
	switch {
	case live.Revision == s.From.Revision:
		return nil
	case now.pointerDoc == nil || now.Release != s.To || now.From.Revision != s.From.Revision:
		return fmt.Errorf("roll back: %w: release %s is live", targets.ErrConflict, live.Release.Short())
	}
	var before *pointerDoc
	if len(now.Before) > 0 {
		if before, err = parsePointer(now.Before); err != nil {
			return wrapped("roll back", err)
		}
	}
	return wrapped("roll back", p.t.movePointer(ctx, now, before))
}
