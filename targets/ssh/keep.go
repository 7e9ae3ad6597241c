package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/ssh/internal/remote"
)

// turnFrom turns the link, and takes the kept files along.
func (t *Target) turnFrom(ctx context.Context, r *reservation, from targets.Live, to string) error {
	if err := t.carry(ctx, from.Revision, to, false); err != nil {
		return err
	}
	if err := r.turn(ctx, to); err != nil {
		return err
	}
	return t.carry(ctx, from.Revision, to, true)
}

// resolved is the path that a link's text leads to.
func (t *Target) resolved(ctx context.Context, link string) (string, error) {
	if path.IsAbs(link) {
		return path.Clean(link), nil
	}
	return t.at(ctx, link)
}

// resolvedBoth are the paths that the texts of two links lead to.
func (t *Target) resolvedBoth(ctx context.Context, from, to string) (source, target string, err error) {
	if source, err = t.resolved(ctx, from); err == nil {
		target, err = t.resolved(ctx, to)
	}
	return source, target, err
}

// carry makes the kept files of one folder those of another: from and to are links' texts. It is called
// right before the link is turned, and once more right after it, only adding, for what was stored in between.
func (t *Target) carry(ctx context.Context, from, to string, addOnly bool) error {
	if len(t.keep) == 0 || from == "" || from == to {
		return nil
	}
	if err := t.carryAll(ctx, from, to, addOnly); err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	return nil
}

func (t *Target) carryAll(ctx context.Context, from, to string, addOnly bool) error {
	source, target, err := t.resolvedBoth(ctx, from, to)
	if err != nil {
		return err
	}
	kept, err := t.beside(ctx, to)
	if err != nil {
		return err
	}
	theirs, err := t.keptTree(ctx, source, kept)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a link to nothing
	}
	if err != nil {
		return err
	}
	ours, err := t.keptTree(ctx, target, kept)
	if err != nil {
		return err
	}
	if !addOnly {
		err = t.host.RemoveAll(ctx, target, pathsOf(ours.Files))
	} else {
		theirs.Files = slices.DeleteFunc(theirs.Files, func(e remote.Entry) bool { return has(ours.Files, e.Path) })
		theirs.Folders = slices.DeleteFunc(theirs.Folders, func(e remote.Entry) bool { return has(ours.Folders, e.Path) })
	}
	if err != nil {
		return err
	}
	return t.carryTree(ctx, source, target, theirs)
}

// carryTree makes second names of files, and copies where that is not possible; a symbolic link is made again.
func (t *Target) carryTree(ctx context.Context, source, target string, tree remote.Tree) error {
	var inner []string
	for _, e := range tree.Folders {
		inner = append(inner, path.Join(e.Path, "x"))
	}
	if err := t.host.MakeFolders(ctx, target, append(inner, pathsOf(tree.Files)...), t.modes); err != nil {
		return err
	}
	for _, e := range tree.Files {
		if err := t.carryOne(ctx, source, target, e); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err // what is not there was deleted in this moment
		}
	}
	for _, e := range slices.Backward(tree.Folders) {
		if err := t.host.Like(ctx, path.Join(target, e.Path), e); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (t *Target) carryOne(ctx context.Context, source, target string, e remote.Entry) error {
	from, to := path.Join(source, e.Path), path.Join(target, e.Path)
	switch {
	case e.Mode&fs.ModeSymlink != 0:
		text, err := t.host.Readlink(ctx, from)
		if err != nil {
			return err
		}
		return t.host.Symlink(ctx, text, to)
	case e.Mode.IsRegular():
		return t.host.Copy(ctx, from, to, e)
	}
	return nil // a pipe or a socket of an application that runs
}

// keptTree lists the kept files below a folder, and the folders that are kept or around kept files. A beacon,
// or a manifest, is none.
func (t *Target) keptTree(ctx context.Context, root string, kept func(path string) bool) (remote.Tree, error) {
	all, err := t.host.List(ctx, root)
	if err != nil {
		return remote.Tree{}, err
	}
	var tree remote.Tree
	around := map[string]bool{}
	for _, e := range all.Files {
		if !kept(e.Path) || site.IsSums(e.Path) {
			continue
		}
		if e.Mode.IsRegular() && path.Ext(e.Path) == ".json" && e.Size > 0 && e.Size <= site.MaxBeacon {
			beacon, err := t.saysBeacon(ctx, path.Join(root, e.Path))
			if err != nil {
				return remote.Tree{}, err
			}
			if beacon {
				continue
			}
		}
		tree.Files = append(tree.Files, e)
		for d := path.Dir(e.Path); d != "."; d = path.Dir(d) {
			around[d] = true
		}
	}
	for _, e := range all.Folders {
		if kept(e.Path) || around[e.Path] {
			tree.Folders = append(tree.Folders, e)
		}
	}
	return tree, nil
}

func pathsOf(all []remote.Entry) []string {
	paths := make([]string, len(all))
	for i, e := range all {
		paths[i] = e.Path
	}
	return paths
}

// has reports whether a path is in entries that are in path order.
func has(all []remote.Entry, name string) bool {
	_, there := slices.BinarySearchFunc(all, name, func(e remote.Entry, name string) int {
		switch {
		case e.Path < name:
			return -1
		case e.Path > name:
			return 1
		}
		return 0
	})
	return there
}
