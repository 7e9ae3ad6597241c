package dir

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets"
)

var _ targets.Historian = (*Target)(nil)

// listExt ends the name of the file beside a release's folder that lists what is in it, as
// sha256sum -c reads it. Its time is when the release last went live, before neverLive where
// it was only staged.
const listExt = ".sha256"

var neverLive = time.Unix(1, 0)

func listName(id site.ID) string { return string(id) + listExt }

// writeList stores the list of a staged release. One that was live before stays as it is.
func (p *place) writeList(m site.Manifest) error {
	name := listName(m.ID())
	if _, err := p.readList(m.ID()); err == nil {
		return nil
	}
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return err
	}
	made := name + partial
	err := errors.Join(p.releases.RemoveAll(made), p.releases.RemoveAll(name))
	if err == nil {
		err = write(p.releases, made, &text)
	}
	if err == nil {
		err = p.releases.Chtimes(made, neverLive, neverLive)
	}
	if err == nil {
		err = p.releases.Rename(made, name)
	}
	if err != nil {
		return fmt.Errorf("dir: list of the release: %w", err)
	}
	return nil
}

// wentLive notes the time: later than that of all others, also where another publisher's
// clock is ahead.
func (p *place) wentLive(id site.ID) {
	now := time.Now()
	all, _ := p.listed(site.None)
	for _, past := range all {
		if past.Release != id && !past.Published.Before(now) {
			now = past.Published.Add(time.Millisecond)
		}
	}
	p.stampList(id, now)
}

// wasUndone forgets the time: a release that was rolled back is not one to go back to.
func (p *place) wasUndone(id site.ID) { p.stampList(id, neverLive) }

// stampList sets a list's time. It may fail: without the time a release is only forgotten sooner.
func (p *place) stampList(id site.ID, at time.Time) {
	info, err := p.releases.Lstat(listName(id))
	if err == nil && info.Mode().IsRegular() {
		_ = p.releases.Chtimes(listName(id), at, at)
	}
}

// maxList bounds a list that is read, in bytes.
const maxList = 512 << 20

// readList reads a list that is the release's.
func (p *place) readList(id site.ID) (site.Manifest, error) {
	r, err := regular.OpenOwn(p.releases, listName(id))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if info, err := r.Stat(); err != nil || info.Size() > maxList {
		return nil, errors.Join(fmt.Errorf("%s is not a list of files", listName(id)), err)
	}
	m, err := site.ReadManifest(r)
	if err == nil && m.ID() != id {
		err = fmt.Errorf("%s is not of its release", listName(id))
	}
	return m, err
}

// Past lists the releases whose folders are kept, from the lists beside them: the live one
// first, then those that went live before, the latest first. What is live and was put there
// by others is read itself, the files of the paths in of only.
func (t *Target) Past(ctx context.Context, limit int, of []string) ([]site.Past, error) {
	p, err := t.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer p.Close()
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.sequence(live.Release)
	if err != nil {
		return nil, err
	}
	var past []site.Past
	if live.Revision != "" && (len(all) == 0 || all[0].Release != live.Release) {
		m, err := t.lookAt(ctx, of)
		if err != nil {
			return nil, err
		}
		past = append(past, site.Past{Manifest: m})
	}
	for _, one := range all {
		if len(past) >= limit || ctx.Err() != nil {
			break
		}
		if one.Manifest, err = p.readList(one.Release); err == nil {
			past = append(past, one)
		}
	}
	return past[:min(len(past), limit)], ctx.Err()
}

// sequence names the releases that are or were live, without their files: the live one
// first, then those that went live before, the latest first.
func (p *place) sequence(live site.ID) ([]site.Past, error) {
	all, err := p.listed(live)
	first := func(p site.Past) int {
		if p.Release == live {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b site.Past) int {
		return cmp.Or(cmp.Compare(first(a), first(b)), b.Published.Compare(a.Published), cmp.Compare(a.Release, b.Release))
	})
	return all, err
}

// listed names the releases that are or were live, without their files.
func (p *place) listed(live site.ID) ([]site.Past, error) {
	if p.releases == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(p.releases.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	var all []site.Past
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), listExt)
		id, err := site.ParseID(name)
		if !ok || err != nil || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		switch {
		case err != nil: // pruned in this moment
		case info.ModTime().After(neverLive):
			all = append(all, site.Past{Release: id, Published: info.ModTime().UTC()})
		case id == live:
			all = append(all, site.Past{Release: id})
		}
	}
	return all, nil
}

// lookAt lists what is live, and hashes the files that are asked for.
func (t *Target) lookAt(ctx context.Context, of []string) (site.Manifest, error) {
	root, err := openFolder(filepath.Join(t.path, current))
	if err != nil {
		return nil, fmt.Errorf("dir: past: %w", err)
	}
	defer root.Close()
	asked := make(map[string]bool, len(of))
	for _, path := range of {
		asked[path] = true
	}
	m, err := read(ctx, root, func(path string) bool { return asked[path] })
	return slices.DeleteFunc(m, func(f site.File) bool { return t.keep.Match(f.Path) }), err
}

// recorded reports whether the folder holds a record of a release that was live there: the
// link names one, a list of one is kept, or what the link leads to has a beacon.
func (t *Target) recorded(live targets.Live, beaconPath string) bool {
	if live.Release != site.None {
		return true
	}
	if p, err := t.open(false); err == nil {
		defer p.Close()
		if past, err := p.listed(site.None); err == nil && len(past) > 0 {
			return true
		}
	}
	return beaconPath != "" && t.hasBeacon(beaconPath)
}

func (t *Target) hasBeacon(path string) bool {
	root, err := openFolder(filepath.Join(t.path, current))
	if err != nil {
		return false
	}
	defer root.Close()
	return saysBeacon(root, path)
}
