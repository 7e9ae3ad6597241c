package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

var _ targets.PurgedLister = (*Target)(nil)

// Purged lists the releases that have content of the record of what was erased and that the program cannot restore.
func (t *Target) Purged(ctx context.Context, past []site.Past) (targets.Purged, error) {
	record, err := t.readErased(ctx)
	if err != nil || len(record) == 0 {
		return nil, err
	}
	gone := targets.Purged{}
	for _, p := range past {
		gone.Note(record.Refuse(p.Release, p.Manifest, func(site.File) bool { return t.restores(ctx, p.Release) }))
	}
	return gone, ctx.Err()
}

// restores reports whether the program can give a release.
func (t *Target) restores(ctx context.Context, id site.ID) bool {
	held, err := t.restore(ctx, id)
	return err == nil && held.Close() == nil
}

// readErased reads the record that the program keeps of what was erased; it is empty where the program names none.
func (t *Target) readErased(ctx context.Context) (l targets.Erased, err error) {
	err = t.ask(ctx, protocol.Request{Op: "live"}, steps{then: func(answer protocol.Line) error {
		if answer.Erased == "" {
			return nil
		}
		text, err := regular.ReadFile(answer.Erased, targets.MaxErasedBytes)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the record of what was erased: %w", err)
		}
		l = targets.DecodeErased(text)
		return nil
	}})
	return l, err
}

// refuseErased returns why a release of which the program lacks files cannot be restored: err, or that they were erased.
func (t *Target) refuseErased(ctx context.Context, r *restored, id site.ID, err error) error {
	if !errors.Is(err, targets.ErrNotHeld) || r.root == nil {
		return err
	}
	record, readErr := t.readErased(ctx)
	if readErr != nil {
		return err
	}
	if refused := record.Refuse(id, r.manifest, r.has); refused != nil {
		return refused
	}
	return err
}
