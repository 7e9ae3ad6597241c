package exec

import (
	"context"
	"errors"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// Stage gives the program a folder with the release, and the list of the live files that are to stay beside it.
func (t *Target) Stage(ctx context.Context, rel *site.Release, progress targets.Progress) error {
	if progress != nil {
		progress.Expect(len(rel.Manifest), rel.Manifest.Bytes())
	}
	beside, err := t.besideStaged(ctx, rel)
	if err != nil {
		return err
	}
	told := 0
	hear := func(l protocol.Line) error {
		if l.Progress != nil && progress != nil && l.Progress.Files >= 0 && l.Progress.Bytes >= 0 {
			progress.Sent(l.Progress.Files, l.Progress.Bytes)
			told++
		}
		return nil
	}
	prepare := func(folder string) (protocol.Request, error) {
		r, err := lay(ctx, folder, rel)
		return r, errors.Join(err, beside.lay(folder, &r))
	}
	err = t.ask(ctx, protocol.Request{}, steps{prepare: prepare, hear: hear})
	if err == nil && told == 0 && progress != nil {
		progress.Sent(len(rel.Manifest), rel.Manifest.Bytes())
	}
	return err
}
