package exec

import (
	"context"
	"errors"
	"fmt"
	"os"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// Restore asks for a folder with the files of a release. The program fills the one that it gets, or names one of its own.
func (t *Target) Restore(ctx context.Context, id site.ID) (targets.Restored, error) {
	return t.restore(ctx, id)
}

func (t *Target) restore(ctx context.Context, id site.ID) (*restored, error) {
	if !t.supports(ctx, canRestore) {
		return nil, fmt.Errorf("%w: the program does not restore releases", targets.ErrNotHeld)
	}
	folder, err := os.MkdirTemp("", "mirror-exec-restored-")
	if err != nil {
		return nil, err
	}
	r := &restored{ours: folder}
	err = t.ask(ctx, protocol.Request{Op: "restore", Release: id, Folder: folder}, steps{then: func(answer protocol.Line) error { return r.open(answer, id) }})
	if err != nil {
		return nil, errors.Join(t.refuseErased(ctx, r, id, err), r.Close())
	}
	return r, nil
}
