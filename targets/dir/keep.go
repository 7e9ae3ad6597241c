package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"mirror/internal/regular"
	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets/internal/releasedir"
)

// ofRelease returns the files of the release that a link names, as its list says; none where
// there is no list.
func (p *place) ofRelease(link string) site.Manifest {
	id := releasedir.IDOfLink(link)
	if id == site.None || p.releases == nil {
		return nil
	}
	m, err := p.readList(id)
	if err != nil {
		return nil
	}
	return m
}

// keptNow tells which of the live paths are not the live release's.
func (t *Target) keptNow(ctx context.Context) (func(path string) bool, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	p, err := t.open(false)
	if errors.Is(err, fs.ErrNotExist) || err != nil && len(t.keep) == 0 {
		return t.keep.Match, nil
	}
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.beside(live.Release, p.ofRelease(live.Revision)), nil
}

// turnFrom turns the link, and takes the kept files along.
func (t *Target) turnFrom(ctx context.Context, p *place, from, to string) error {
	if err := t.carry(ctx, p, from, to, false); err != nil {
		return err
	}
	if err := p.turn(to); err != nil {
		return err
	}
	return t.carry(ctx, p, from, to, true)
}

// walkKept calls do for the kept files and folders below root, folders first. A beacon, or a manifest, is none.
func walkKept(ctx context.Context, root *os.Root, kept func(path string) bool, do func(path string, d fs.DirEntry) error) error {
	return fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || ctx.Err() != nil:
			return errors.Join(err, ctx.Err())
		case path == "." || !kept(path):
			return nil
		case site.IsSums(path), d.Type().IsRegular() && isBeaconFile(root, path, d):
			return nil
		}
		return do(path, d)
	})
}

func isBeaconFile(root *os.Root, path string, d fs.DirEntry) bool {
	if filepath.Ext(path) != ".json" {
		return false
	}
	info, err := d.Info()
	return err == nil && isBeacon(root, site.File{Path: path, Size: info.Size()})
}

// carry makes the kept files of the folder to those of the folder from: both are links' texts.
// It is called right before the link is turned, and once more right after it, only adding, for
// what was stored in between.
func (t *Target) carry(ctx context.Context, p *place, from, to string, addOnly bool) error {
	if len(t.keep) == 0 || from == "" || from == to {
		return nil
	}
	source, err := openFolder(t.resolved(from))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a link to nothing
	}
	if err != nil {
		return fmt.Errorf("dir: keep: %w", err)
	}
	defer source.Close()
	target, err := openFolder(t.resolved(to))
	if err != nil {
		return fmt.Errorf("dir: keep: %w", err)
	}
	defer target.Close()
	kept := t.keep.Beside(p.ofRelease(to))
	if !addOnly {
		if err := dropGone(ctx, source, target, kept); err != nil {
			return fmt.Errorf("dir: keep: %w", err)
		}
	}
	folders := keptFolders{source: source, target: target, newOnly: addOnly, seen: map[string]bool{}}
	err = walkKept(ctx, source, kept, func(path string, d fs.DirEntry) error {
		folders.see(path, d)
		return p.carryOne(ctx, source, target, carried{path: path, entry: d, from: from, to: to, addOnly: addOnly})
	})
	if err == nil {
		err = folders.finish()
	}
	if err != nil {
		return fmt.Errorf("dir: keep: %w", err)
	}
	return syncFolders(target)
}

func (t *Target) resolved(link string) string {
	if filepath.IsAbs(link) {
		return link
	}
	return filepath.Join(t.path, link)
}

// dropGone deletes kept files of target that source lacks, or that are no files there.
func dropGone(ctx context.Context, source, target *os.Root, kept func(path string) bool) error {
	return walkKept(ctx, target, kept, func(path string, d fs.DirEntry) error {
		now, err := source.Lstat(path)
		switch {
		case err == nil && now.IsDir() == d.IsDir():
			return nil
		case err != nil && !errors.Is(err, fs.ErrNotExist) || d.IsDir() && err != nil:
			return nil // a folder that is left over is empty
		}
		return target.RemoveAll(path)
	})
}

// carried is one kept file on its way.
type carried struct {
	path     string
	entry    fs.DirEntry
	from, to string // links' texts
	addOnly  bool
}

// carryOne puts a kept file into target: as a second name of the same file where the file
// system has such, else as a copy. A symbolic link is made again with its text.
func (p *place) carryOne(ctx context.Context, source, target *os.Root, c carried) error {
	info, err := c.entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was deleted in this moment
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return target.MkdirAll(c.path, 0o755)
	}
	switch there, err := target.Lstat(c.path); {
	case err == nil && (c.addOnly || os.SameFile(there, info)):
		return nil
	case err == nil:
		if err := target.RemoveAll(c.path); err != nil {
			return err
		}
	}
	if err := target.MkdirAll(path.Dir(c.path), 0o755); err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		text, err := source.Readlink(c.path)
		if err != nil {
			return err
		}
		return target.Symlink(text, c.path)
	}
	if p.link(c) == nil {
		return nil
	}
	if !info.Mode().IsRegular() {
		return nil // a pipe or a socket of an application that runs
	}
	return copyKept(ctx, source, target, c.path)
}

// link gives the file a second name, where both folders lie below the target's path.
func (p *place) link(c carried) error {
	if !filepath.IsLocal(c.from) || !filepath.IsLocal(c.to) {
		return errors.ErrUnsupported
	}
	return p.root.Link(filepath.Join(c.from, c.path), filepath.Join(c.to, c.path))
}

// copyKept copies a regular file with its owner, mode and time. No program gets the rights of
// its owner that way: the setuid and setgid bits are left out.
func copyKept(ctx context.Context, source, target *os.Root, path string) error {
	r, err := regular.OpenOwn(source, path)
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := r.Stat() // it may have been replaced since it was listed
	if err != nil {
		return err
	}
	w, err := target.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(w, wait.Reader(ctx, r)); err == nil {
		takeOwner(w, info)
		err = errors.Join(w.Chmod(info.Mode().Perm()), w.Sync())
	}
	if err = errors.Join(err, w.Close()); err == nil {
		_ = target.Chtimes(path, time.Time{}, info.ModTime()) // as far as the file system can
	}
	return err
}
