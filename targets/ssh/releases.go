package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets/internal/releasedir"
)

// releases lists the folder of the releases, which need not be there.
func (t *Target) releases(ctx context.Context) (releasedir.Listing, error) {
	folder, err := t.at(ctx, releasedir.Releases)
	if err != nil {
		return nil, err
	}
	all, err := t.host.ReadDir(ctx, folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l := make(releasedir.Listing, len(all))
	for _, info := range all {
		l[info.Name()] = info
	}
	return l, nil
}

// writeList stores the list of a staged release. One that is there already stays as it is: its time tells
// when the release was live. Whether it is right is seen when it is read.
func (t *Target) writeList(ctx context.Context, all releasedir.Listing, m site.Manifest) error {
	id := m.ID()
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return err
	}
	if info, there := all[releasedir.ListName(id)]; there && info.Mode().IsRegular() && info.Size() == int64(text.Len()) {
		return nil
	}
	folder, err := t.at(ctx, releasedir.Releases)
	if err != nil {
		return err
	}
	made := releasedir.ListName(id) + "." + t.publisher + releasedir.Partial
	err = t.host.RemoveAll(ctx, folder, t.present(all, made, releasedir.ListName(id)))
	if err == nil {
		err = t.host.WriteFile(ctx, path.Join(folder, made), text.Bytes(), t.modes.File)
	}
	if err == nil {
		err = t.host.Chtimes(ctx, path.Join(folder, made), releasedir.NeverLive)
	}
	if err == nil {
		err = t.host.Rename(ctx, path.Join(folder, made), path.Join(folder, releasedir.ListName(id)))
	}
	if err != nil {
		return fmt.Errorf("list of the release: %w", err)
	}
	return nil
}

// present are the names that are there.
func (*Target) present(all releasedir.Listing, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { _, there := all[name]; return !there })
}

// wentLive notes the time: later than that of all others, also where another publisher's
// clock is ahead. Servers keep whole seconds.
func (t *Target) wentLive(ctx context.Context, all releasedir.Listing, id site.ID) {
	t.stampList(ctx, id, all.WentLive(id, time.Now().Truncate(time.Second), time.Second))
}

// wasUndone forgets the time: a release that was rolled back is not one to go back to.
func (t *Target) wasUndone(ctx context.Context, id site.ID) {
	t.stampList(ctx, id, releasedir.NeverLive)
}

// stampList sets a list's time. It may fail: without the time a release is only forgotten sooner.
func (t *Target) stampList(ctx context.Context, id site.ID, at time.Time) {
	list, err := t.at(ctx, releasedir.Releases, releasedir.ListName(id))
	if err == nil {
		err = t.host.Chtimes(ctx, list, at)
	}
	if err != nil {
		t.log.Warn("the time at which a release went live could not be noted", "release", id.Short(), "err", err)
	}
}

// readList reads a list that is the release's.
func (t *Target) readList(ctx context.Context, id site.ID) (site.Manifest, error) {
	list, err := t.at(ctx, releasedir.Releases, releasedir.ListName(id))
	if err != nil {
		return nil, err
	}
	text, err := t.host.ReadFile(ctx, list, releasedir.MaxList)
	if err != nil {
		return nil, err
	}
	return releasedir.ReadList(id, bytes.NewReader(text))
}

// ofRelease returns the files of the release that a link names, as its list says; none where
// there is no list that can be read.
func (t *Target) ofRelease(ctx context.Context, link string) (site.Manifest, error) {
	id := releasedir.IDOfLink(link)
	if id == site.None {
		return nil, nil
	}
	m, err := t.readList(ctx, id)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return nil, nil
	}
	return m, nil
}
