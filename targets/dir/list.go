package dir

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"mirror/internal/regular"
	"mirror/site"
)

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
		err = p.modes.write(p.releases, made, &text)
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
