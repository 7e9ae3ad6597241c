package ssh

import (
	"context"
	"path"

	"mirror/site"
	"mirror/targets/grace"
)

// graceExt ends the name of the file beside a release's folder that lists the files of earlier releases in it.
const graceExt = ".grace"

func graceName(id site.ID) string { return string(id) + graceExt }

// readGrace lists the files of earlier releases in a release's folder, none where that is not recorded.
func (t *Target) readGrace(ctx context.Context, id site.ID) (grace.List, error) {
	if id == site.None {
		return nil, nil
	}
	name, err := t.at(ctx, releases, graceName(id))
	if err != nil {
		return nil, err
	}
	text, err := t.host.ReadFile(ctx, name, grace.MaxBytes)
	if err != nil {
		return nil, ctx.Err()
	}
	l, err := grace.Decode(text)
	if err != nil {
		t.log.Warn("the list of files of earlier releases is not readable; they count as extra", "release", id.Short(), "err", err)
	}
	return l, nil
}

// writeGrace replaces the list; an empty one is not stored. Between the removal of the old list and the new one
// the files count as extra.
func (t *Target) writeGrace(ctx context.Context, id site.ID, l grace.List) error {
	folder, err := t.at(ctx, releases)
	if err != nil {
		return err
	}
	made := graceName(id) + "." + t.publisher + partial
	if err = t.host.RemoveAll(ctx, folder, []string{made}); err != nil {
		return err
	}
	if len(l) == 0 {
		return t.host.RemoveAll(ctx, folder, []string{graceName(id)})
	}
	if err = t.host.WriteFile(ctx, path.Join(folder, made), l.Encode(), t.modes.File); err == nil {
		err = t.host.Replace(ctx, path.Join(folder, made), path.Join(folder, graceName(id)))
	}
	return err
}

// besideOf tells which files of a release's folder are not the release's: those that the config keeps, and those
// of earlier releases.
func (t *Target) besideOf(ctx context.Context, id site.ID, m site.Manifest) (func(path string) bool, error) {
	l, err := t.readGrace(ctx, id)
	kept := t.keep.Beside(m)
	if len(l) == 0 || err != nil {
		return kept, err
	}
	l = l.Without(isOwn(m))
	return func(path string) bool { return kept(path) || l.Has(path) }, nil
}

func isOwn(m site.Manifest) func(path string) bool {
	return func(path string) bool { _, own := m.Find(path); return own }
}

// beside tells which paths are kept beside the files of the release that a link names.
func (t *Target) beside(ctx context.Context, link string) (func(path string) bool, error) {
	m, err := t.ofRelease(ctx, link)
	if err != nil {
		return nil, err
	}
	return t.besideOf(ctx, releaseOf(link), m)
}
