package ssh

import (
	"context"
	"path"

	"mirror/site"
	"mirror/targets/grace"
	"mirror/targets/internal/releasedir"
)

// readGrace lists the files of earlier releases in a release's folder, none where that is not recorded.
func (t *Target) readGrace(ctx context.Context, id site.ID) (grace.List, error) {
	if id == site.None {
		return nil, nil
	}
	name, err := t.at(ctx, releasedir.Releases, releasedir.GraceName(id))
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
	folder, err := t.at(ctx, releasedir.Releases)
	if err != nil {
		return err
	}
	made := releasedir.GraceName(id) + "." + t.publisher + releasedir.Partial
	if err = t.host.RemoveAll(ctx, folder, []string{made}); err != nil {
		return err
	}
	if len(l) == 0 {
		return t.host.RemoveAll(ctx, folder, []string{releasedir.GraceName(id)})
	}
	if err = t.host.WriteFile(ctx, path.Join(folder, made), l.Encode(), t.modes.File); err == nil {
		err = t.host.Replace(ctx, path.Join(folder, made), path.Join(folder, releasedir.GraceName(id)))
	}
	return err
}

// besideOf tells which files of a release's folder are not the release's: those that the config keeps, and those
// of earlier releases.
func (t *Target) besideOf(ctx context.Context, id site.ID, m site.Manifest) (func(path string) bool, error) {
	l, err := t.readGrace(ctx, id)
	if err != nil {
		return nil, err
	}
	return releasedir.Beside(t.keep, m, l), nil
}

// beside tells which paths are kept beside the files of the release that a link names.
func (t *Target) beside(ctx context.Context, link string) (func(path string) bool, error) {
	m, err := t.ofRelease(ctx, link)
	if err != nil {
		return nil, err
	}
	return t.besideOf(ctx, releasedir.IDOfLink(link), m)
}
