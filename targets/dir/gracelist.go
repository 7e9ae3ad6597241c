package dir

import (
	"bytes"
	"fmt"
	"io"

	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets/grace"
	"mirror/targets/internal/releasedir"
)

// readGrace lists the files of earlier releases in a release's folder, none where that is not recorded.
func (p *place) readGrace(id site.ID) grace.List {
	if id == site.None || p.releases == nil {
		return nil
	}
	r, err := regular.OpenOwn(p.releases, releasedir.GraceName(id))
	if err != nil {
		return nil
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, grace.MaxBytes+1))
	if err != nil {
		return nil
	}
	l, err := grace.Decode(text)
	if err != nil {
		return nil
	}
	return l
}

// writeGrace replaces the list; an empty one is not stored.
func (p *place) writeGrace(id site.ID, l grace.List) error {
	made := releasedir.GraceName(id) + releasedir.Partial
	err := p.releases.RemoveAll(made)
	switch {
	case err != nil:
	case len(l) == 0:
		err = p.releases.RemoveAll(releasedir.GraceName(id))
	default:
		err = p.modes.write(p.releases, made, bytes.NewReader(l.Encode()))
		if err == nil {
			err = p.releases.Rename(made, releasedir.GraceName(id))
		}
	}
	if err != nil {
		return fmt.Errorf("dir: list of files in grace: %w", err)
	}
	return nil
}

// beside tells which files of a release's folder are not the release's: those that the config keeps,
// and those of earlier releases.
func (p *place) beside(id site.ID, m site.Manifest) func(path string) bool {
	return releasedir.Beside(p.keep, m, p.readGrace(id))
}
