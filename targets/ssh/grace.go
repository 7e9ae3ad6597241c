package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/internal/releasedir"
	"mirror/targets/ssh/internal/remote"
)

// graceAt returns the lists for a publish of a release.
func (t *Target) graceAt(ctx context.Context, live targets.Live, m site.Manifest) (g releasedir.Grace, err error) {
	l, err := t.readGrace(ctx, live.Release)
	if err != nil {
		return g, err
	}
	g.Now = l.Without(releasedir.Own(m))
	if live.Release == m.ID() {
		g.Next = g.Now // nothing is committed
		return g, nil
	}
	g.Next, err = t.nextGrace(ctx, live.Revision, m)
	return g, err
}

// nextGrace is the list beside a release that takes the place of another, which a link names.
func (t *Target) nextGrace(ctx context.Context, from string, m site.Manifest) (grace.List, error) {
	if !t.stays.On() {
		return nil, nil
	}
	l, err := t.readGrace(ctx, releasedir.IDOfLink(from))
	if err != nil {
		return nil, err
	}
	was, err := t.ofRelease(ctx, from)
	if err != nil || was == nil {
		return nil, err
	}
	return t.stays.Next(l, was, m, time.Now(), t.keep.Match), nil
}

// Grace lists the files of earlier releases that are served beside the live one.
func (t *Target) Grace(ctx context.Context) (grace.List, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	return t.readGrace(ctx, live.Release)
}

// carryGrace makes the files of earlier releases in the folder to, which is about to be live, those that are to stay.
// The list is stored first: what it names and is not there is no harm.
func (t *Target) carryGrace(ctx context.Context, from, to string) error {
	if from == to {
		return nil
	}
	was, err := t.readGrace(ctx, releasedir.IDOfLink(to))
	if err != nil || !t.stays.On() && len(was) == 0 {
		return err
	}
	m, err := t.ofRelease(ctx, to)
	if err != nil {
		return err
	}
	next, err := t.nextGrace(ctx, from, m)
	if err == nil {
		err = t.makeGrace(ctx, from, to, was.Without(releasedir.Own(m)), next)
	}
	if err != nil {
		return fmt.Errorf("files of earlier releases: %w", err)
	}
	return nil
}

// makeGrace turns the files of the list was in the folder to into those of the list next, with the bytes that the
// folder from has.
func (t *Target) makeGrace(ctx context.Context, from, to string, was, next grace.List) error {
	source, target, err := t.resolvedBoth(ctx, from, to)
	if err != nil {
		return err
	}
	if err := t.host.RemoveAll(ctx, target, was.Without(t.keep.Match).Paths()); err != nil {
		return err
	}
	if err := t.writeGrace(ctx, releasedir.IDOfLink(to), next); err != nil || len(next) == 0 {
		return err
	}
	files, err := t.intact(ctx, source, next)
	if err != nil {
		return err
	}
	if err := t.host.RemoveAll(ctx, target, pathsOf(files)); err != nil {
		return err
	}
	if err := t.host.MakeFolders(ctx, target, pathsOf(files), t.modes); err != nil {
		return err
	}
	for _, e := range files {
		if err := t.host.Copy(ctx, path.Join(source, e.Path), path.Join(target, e.Path), e); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// intact lists the files of a list that a folder has with their bytes.
func (t *Target) intact(ctx context.Context, root string, l grace.List) ([]remote.Entry, error) {
	tree, err := t.host.List(ctx, root)
	if err != nil {
		return nil, err
	}
	files := slices.DeleteFunc(tree.Files, func(e remote.Entry) bool {
		return !l.Has(e.Path) || !e.Mode.IsRegular()
	})
	sums, err := t.host.Digests(ctx, root, files)
	return slices.DeleteFunc(files, func(e remote.Entry) bool {
		want, _ := l.Find(e.Path)
		return sums[e.Path] != want.Digest
	}), err
}

// shortenGrace removes the files of earlier releases whose time is over from what is live, while it holds the place.
func (t *Target) shortenGrace(ctx context.Context) error {
	if !t.stays.On() {
		return nil
	}
	l, err := t.Grace(ctx)
	if err != nil || len(t.stays.Current(l, time.Now())) == len(l) {
		return err
	}
	res, err := t.takeSoon(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = res.Release(context.WithoutCancel(ctx)) }() // it has an end of its own
	live, err := t.Live(ctx)
	if err != nil {
		return err
	}
	if l, err = t.readGrace(ctx, live.Release); err != nil {
		return err
	}
	m, err := t.ofRelease(ctx, live.Revision)
	if err != nil || m == nil {
		return err
	}
	root, err := t.resolved(ctx, live.Revision)
	if err != nil {
		return err
	}
	now := t.stays.Current(l, time.Now())
	gone := l.Without(func(path string) bool { return releasedir.Own(m)(path) || now.Has(path) || t.keep.Match(path) })
	if err := t.host.RemoveAll(ctx, root, gone.Paths()); err != nil {
		return err
	}
	return t.writeGrace(ctx, live.Release, now)
}
