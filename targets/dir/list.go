package dir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets/internal/releasedir"
)

// writeList stores the list of a staged release. One that was live before stays as it is.
func (p *place) writeList(m site.Manifest) error {
	name := releasedir.ListName(m.ID())
	if _, err := p.readList(m.ID()); err == nil {
		return nil
	}
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return err
	}
	made := name + releasedir.Partial
	err := errors.Join(p.releases.RemoveAll(made), p.releases.RemoveAll(name))
	if err == nil {
		err = p.modes.write(p.releases, made, &text)
	}
	if err == nil {
		err = p.releases.Chtimes(made, releasedir.NeverLive, releasedir.NeverLive)
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
	all, _ := p.listing() // without it the time is right unless another publisher's clock is ahead
	p.stampList(id, all.WentLive(id, time.Now(), time.Millisecond))
}

// wasUndone forgets the time: a release that was rolled back is not one to go back to.
func (p *place) wasUndone(id site.ID) { p.stampList(id, releasedir.NeverLive) }

// stampList sets a list's time. It may fail: without the time a release is only forgotten sooner.
func (p *place) stampList(id site.ID, at time.Time) {
	info, err := p.releases.Lstat(releasedir.ListName(id))
	if err == nil && info.Mode().IsRegular() {
		_ = p.releases.Chtimes(releasedir.ListName(id), at, at)
	}
}

// readList reads a list that is the release's.
func (p *place) readList(id site.ID) (site.Manifest, error) {
	r, err := regular.OpenOwn(p.releases, releasedir.ListName(id))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if info, err := r.Stat(); err != nil || info.Size() > releasedir.MaxList {
		return nil, errors.Join(fmt.Errorf("%s is not a list of files", releasedir.ListName(id)), err)
	}
	return releasedir.ReadList(id, r)
}

// listing lists the folder of the releases, which need not be there.
func (p *place) listing() (releasedir.Listing, error) {
	if p.releases == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(p.releases.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	all := make(releasedir.Listing, len(entries))
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // else it was pruned in this moment
			all[e.Name()] = info
		}
	}
	return all, nil
}
