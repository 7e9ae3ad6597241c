package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"mirror/internal/pointer"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/internal/releasedir"
)

// Target is a folder whose symlink current is turned from release to release. The turn is
// one rename(2): a reader sees all of a release or nothing of it. Where the system lets the user make no
// symbolic link, current is a pointer file (package pointer), which is replaced in the same way.
//
// A release that has to be staged again because the live copy of it was tampered with gets
// a folder of its own, releases/<id>.2 and so on. releases/<id>.sha256 lists what a release
// consists of.
type Target struct {
	path  string
	keep  targets.Keep
	grace *grace.Policy
	modes modes
	names system // of files, that the file system of path can hold
	plain bool   // make no symbolic link

	reserved sync.Map // targets.Swap → *reservation: those that this process holds
}

var (
	_ targets.Guard     = (*Target)(nil)
	_ targets.Target    = (*Target)(nil)
	_ targets.Gracer    = (*Target)(nil)
	_ targets.Historian = (*Target)(nil)
	_ targets.Pruner    = (*Target)(nil)
)

// Live reads the link.
func (t *Target) Live(context.Context) (targets.Live, error) {
	to, err := pointer.Read(filepath.Join(t.path, releasedir.Current))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return targets.Live{}, nil
	case err != nil:
		return targets.Live{}, fmt.Errorf("dir: %w (hint: move it away; mirror makes the link)", err)
	}
	return targets.Live{Release: releasedir.IDOfLink(to), Revision: to}, nil
}
