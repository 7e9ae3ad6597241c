package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"mirror/internal/pointer"
	"mirror/internal/regular"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/internal/releasedir"
)

// lockFile is locked while this folder is worked on.
const lockFile = ".mirror.lock"

// lockPoll is how often a lock that another publisher holds is tried again.
const lockPoll = 20 * time.Millisecond

// place is the target's folder while it is worked on. All that is below it is named by way of
// the two roots, so that no link leads out; what is written, renamed or deleted is never
// reached through a link at all.
type place struct {
	root     *os.Root
	releases *os.Root // nil where there is no such folder yet
	keep     targets.Keep
	grace    *grace.Policy
	modes    modes
	plain    bool // make no symbolic link
}

// open opens the folder, and makes it where that is asked for. It gives an error that wraps
// fs.ErrNotExist where there is none.
func (t *Target) open(create bool) (*place, error) {
	if create {
		if err := t.modes.makeFolders(t.path); err != nil {
			return nil, fmt.Errorf("dir: %w", err)
		}
	}
	root, err := openFolder(t.path)
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	p := &place{root: root, keep: t.keep, grace: t.grace, modes: t.modes, plain: t.plain}
	if create {
		err = root.Mkdir(releasedir.Releases, t.modes.folder)
	}
	if err == nil || errors.Is(err, fs.ErrExist) {
		p.releases, err = openOwn(root, releasedir.Releases)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("dir: %s: %w", t.path, err), p.Close())
	}
	if create {
		p.openReleases()
	}
	return p, nil
}

// openReleases gives the folder of the releases its mode, as far as it belongs to this user.
func (p *place) openReleases() {
	if f, err := p.releases.Open("."); err == nil {
		_ = p.modes.ofFolder(f) // another user's folder keeps its mode
		f.Close()
	}
}

// Close closes the folders of the place.
func (p *place) Close() error {
	if p.releases != nil {
		return errors.Join(p.releases.Close(), p.root.Close())
	}
	return p.root.Close()
}

// openFolder opens a folder by its path, through links if need be.
func openFolder(path string) (*os.Root, error) {
	info, err := os.Stat(path) // to open a pipe would wait for ever
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", path)
	}
	if err != nil {
		return nil, err
	}
	return os.OpenRoot(path)
}

// openServed opens the folder that is live.
func (t *Target) openServed() (*os.Root, error) {
	folder, err := pointer.Folder(filepath.Join(t.path, releasedir.Current))
	if err != nil {
		return nil, err
	}
	return openFolder(folder)
}

// openOwn opens a folder below root that is no link.
func openOwn(root *os.Root, name string) (*os.Root, error) {
	info, err := root.Lstat(name)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%q is not a folder (hint: move it away; mirror makes a folder there)", name)
	}
	if err != nil {
		return nil, err
	}
	below, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	now, err := below.Stat(".")
	if err == nil && !os.SameFile(info, now) {
		err = fmt.Errorf("%q was replaced while it was opened", name)
	}
	if err != nil {
		return nil, errors.Join(err, below.Close())
	}
	return below, nil
}

// clearOdd removes what is not a regular file from a lock's place.
func (p *place) clearOdd(name string) error {
	if info, err := p.root.Lstat(name); err == nil && !info.Mode().IsRegular() {
		if err := p.root.RemoveAll(name); err != nil {
			return fmt.Errorf("dir: %w", err)
		}
	}
	return nil
}

// locked keeps other publishers of this folder out while do works on it.
func (t *Target) locked(ctx context.Context, do func(p *place) error) error {
	p, err := t.open(true)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.clearOdd(lockFile); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(t.path, lockFile), flock.SetFlag(regular.LockFlags))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("dir: lock %s: %w", t.path, err)
	}
	return errors.Join(do(p), lock.Unlock())
}
