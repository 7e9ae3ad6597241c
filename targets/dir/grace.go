package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/internal/releasedir"
)

// graceAt returns the lists for a publish of a release.
func (t *Target) graceAt(live targets.Live, m site.Manifest) releasedir.Grace {
	p, err := t.open(false)
	if err != nil {
		return releasedir.Grace{}
	}
	defer p.Close()
	g := releasedir.Grace{Now: p.readGrace(live.Release).Without(releasedir.Own(m))}
	if live.Release == m.ID() {
		g.Next = g.Now // nothing is committed
	} else {
		g.Next = p.nextGrace(live.Release, p.ofRelease(live.Revision), m)
	}
	return g
}

// nextGrace is the list beside a release that takes the place of another.
func (p *place) nextGrace(from site.ID, was, m site.Manifest) grace.List {
	return p.grace.Next(p.readGrace(from), was, m, time.Now(), p.keep.Match)
}

// Grace lists the files of earlier releases that are served beside the live one.
func (t *Target) Grace(ctx context.Context) (grace.List, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	p, err := t.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.readGrace(live.Release), nil
}

// carryGrace makes the files of earlier releases in the folder to, which is about to be live, those that are to
// stay. The list is stored first: what it names and is not there is no harm, what is there unnamed
// would count as altered.
func (t *Target) carryGrace(ctx context.Context, p *place, from, to string) error {
	was := p.readGrace(releasedir.IDOfLink(to))
	if p.grace == nil && len(was) == 0 || from == to || p.releases == nil {
		return nil
	}
	m := p.ofRelease(to)
	var next grace.List
	if old := p.ofRelease(from); old != nil {
		next = p.nextGrace(releasedir.IDOfLink(from), old, m)
	}
	target, err := openFolder(t.resolved(to))
	if err != nil {
		return fmt.Errorf("dir: grace: %w", err)
	}
	defer target.Close()
	own := releasedir.Own(m)
	if err := dropGrace(target, was, func(path string) bool { return own(path) || next.Has(path) || p.keep.Match(path) }); err != nil {
		return fmt.Errorf("dir: grace: %w", err)
	}
	if err := p.writeGrace(releasedir.IDOfLink(to), next); err != nil || len(next) == 0 {
		return err
	}
	source, err := openFolder(t.resolved(from))
	if err != nil {
		return fmt.Errorf("dir: grace: %w", err)
	}
	defer source.Close()
	for _, e := range next {
		if err := p.carryAsset(ctx, source, target, carried{path: e.Path, from: from, to: to}, e.Digest); err != nil {
			return fmt.Errorf("dir: grace: %w", err)
		}
	}
	return syncFolders(target)
}

// dropGrace removes the files of a list from a folder, but for those that stay, and the folders that
// are empty then.
func dropGrace(root *os.Root, l grace.List, stays func(path string) bool) error {
	for _, e := range l {
		if stays(e.Path) {
			continue
		}
		if err := root.Remove(e.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for dir := path.Dir(e.Path); dir != "." && root.Remove(dir) == nil; dir = path.Dir(dir) {
			continue
		}
	}
	return nil
}

// carryAsset puts a file of an earlier release into target, as carryOne does with a kept file. One that is gone or
// was altered is left out.
func (p *place) carryAsset(ctx context.Context, source, target *os.Root, c carried, want site.Digest) error {
	buf := make([]byte, readBuffer)
	if have, _, err := hashFile(ctx, target, c.path, buf); err == nil && have == want {
		return nil
	}
	if have, _, err := hashFile(ctx, source, c.path, buf); err != nil || have != want {
		return ctx.Err()
	}
	if err := target.RemoveAll(c.path); err != nil {
		return err
	}
	if err := p.modes.makeParents(target, path.Dir(c.path)); err != nil {
		return err
	}
	if p.link(c) == nil {
		return nil
	}
	return copyKept(ctx, source, target, c.path)
}

// makeParents makes a folder and those above it, where they are missing.
func (m modes) makeParents(root *os.Root, dir string) error {
	if _, err := root.Lstat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := m.makeParents(root, path.Dir(dir)); err != nil {
		return err
	}
	if err := root.Mkdir(dir, m.folder); err != nil {
		return err
	}
	f, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(m.ofFolder(f), f.Close())
}

// shortenGrace removes the files of earlier releases whose time is over from what is live.
func (t *Target) shortenGrace(p *place, live targets.Live) error {
	l := p.readGrace(live.Release)
	now := p.grace.Current(l, time.Now())
	if !p.grace.On() || len(now) == len(l) {
		return nil
	}
	root, err := openFolder(t.resolved(live.Revision))
	if err != nil {
		return fmt.Errorf("dir: grace: %w", err)
	}
	defer root.Close()
	own := releasedir.Own(p.ofRelease(live.Revision))
	if err := dropGrace(root, l, func(path string) bool { return own(path) || now.Has(path) || p.keep.Match(path) }); err != nil {
		return fmt.Errorf("dir: grace: %w", err)
	}
	return p.writeGrace(live.Release, now)
}
