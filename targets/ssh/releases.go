package ssh

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirror/site"
	"mirror/targets"
)

// shelf is what lies in the folder of the releases.
type shelf struct {
	names map[string]fs.FileInfo
}

// releases lists the folder of the releases, which need not be there.
func (t *Target) releases(ctx context.Context) (shelf, error) {
	folder, err := t.at(ctx, releases)
	if err != nil {
		return shelf{}, err
	}
	all, err := t.host.ReadDir(ctx, folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return shelf{}, err
	}
	s := shelf{names: make(map[string]fs.FileInfo, len(all))}
	for _, info := range all {
		s.names[info.Name()] = info
	}
	return s, nil
}

// newest returns the symlink text for the staged copy of a release with the highest number.
func (s shelf) newest(id site.ID) (string, error) {
	copies, _ := s.copies(id)
	if len(copies) == 0 {
		return "", fmt.Errorf("%s: %w", id.Short(), targets.ErrNotStaged)
	}
	return path.Join(releases, copies[len(copies)-1]), nil
}

// copies lists the folders of the complete copies of a release, the newest last, and the name
// for the next. What has such a name and is no folder is not ours, and is left alone.
func (s shelf) copies(id site.ID) (names []string, free string) {
	for n := 1; ; n++ {
		name := copyName(id, n)
		info, there := s.names[name]
		switch {
		case !there:
			return names, name
		case info.IsDir():
			names = append(names, name)
		}
	}
}

func copyName(id site.ID, n int) string {
	if n == 1 {
		return string(id)
	}
	return string(id) + "." + strconv.Itoa(n)
}

// listExt ends the name of the file beside a release's folder that lists what is in it, as
// sha256sum -c reads it. Its time is when the release last went live, before neverLive where
// it was only staged.
const listExt = ".sha256"

var neverLive = time.Unix(1, 0)

func listName(id site.ID) string { return string(id) + listExt }

// maxList bounds a list that is read, in bytes.
const maxList = 512 << 20

// writeList stores the list of a staged release. One that is there already stays as it is: its time tells
// when the release was live. Whether it is right is seen when it is read.
func (t *Target) writeList(ctx context.Context, all shelf, m site.Manifest) error {
	id := m.ID()
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return err
	}
	if info, there := all.names[listName(id)]; there && info.Mode().IsRegular() && info.Size() == int64(text.Len()) {
		return nil
	}
	folder, err := t.at(ctx, releases)
	if err != nil {
		return err
	}
	made := listName(id) + "." + t.publisher + partial
	err = t.host.RemoveAll(ctx, folder, t.present(all, made, listName(id)))
	if err == nil {
		err = t.host.WriteFile(ctx, path.Join(folder, made), text.Bytes(), t.modes.File)
	}
	if err == nil {
		err = t.host.Chtimes(ctx, path.Join(folder, made), neverLive)
	}
	if err == nil {
		err = t.host.Rename(ctx, path.Join(folder, made), path.Join(folder, listName(id)))
	}
	if err != nil {
		return fmt.Errorf("list of the release: %w", err)
	}
	return nil
}

// present are the names that are there.
func (*Target) present(all shelf, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { _, there := all.names[name]; return !there })
}

// wentLive notes the time: later than that of all others, also where another publisher's
// clock is ahead. Servers keep whole seconds.
func (t *Target) wentLive(ctx context.Context, all shelf, id site.ID) {
	now := time.Now().Truncate(time.Second)
	for _, past := range all.listed(site.None) {
		if past.Release != id && !past.Published.Before(now) {
			now = past.Published.Add(time.Second)
		}
	}
	t.stampList(ctx, id, now)
}

// wasUndone forgets the time: a release that was rolled back is not one to go back to.
func (t *Target) wasUndone(ctx context.Context, id site.ID) { t.stampList(ctx, id, neverLive) }

// stampList sets a list's time. It may fail: without the time a release is only forgotten sooner.
func (t *Target) stampList(ctx context.Context, id site.ID, at time.Time) {
	list, err := t.at(ctx, releases, listName(id))
	if err == nil {
		err = t.host.Chtimes(ctx, list, at)
	}
	if err != nil {
		t.log.Warn("the time at which a release went live could not be noted", "release", id.Short(), "err", err)
	}
}

// readList reads a list that is the release's.
func (t *Target) readList(ctx context.Context, id site.ID) (site.Manifest, error) {
	list, err := t.at(ctx, releases, listName(id))
	if err != nil {
		return nil, err
	}
	text, err := t.host.ReadFile(ctx, list, maxList)
	if err != nil {
		return nil, err
	}
	m, err := site.ReadManifest(bytes.NewReader(text))
	if err == nil && m.ID() != id {
		err = fmt.Errorf("%s is not of its release", listName(id))
	}
	return m, err
}

// ofRelease returns the files of the release that a link names, as its list says; none where
// there is no list that can be read.
func (t *Target) ofRelease(ctx context.Context, link string) (site.Manifest, error) {
	id := releaseOf(link)
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

// sequence names the releases that are or were live, without their files: the live one
// first, then those that went live before, the latest first.
func (s shelf) sequence(live site.ID) []site.Past {
	all := s.listed(live)
	first := func(p site.Past) int {
		if p.Release == live {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b site.Past) int {
		return cmp.Or(cmp.Compare(first(a), first(b)), b.Published.Compare(a.Published), cmp.Compare(a.Release, b.Release))
	})
	return all
}

// listed names the releases that are or were live, without their files.
func (s shelf) listed(live site.ID) []site.Past {
	var all []site.Past
	for name, info := range s.names {
		name, ok := strings.CutSuffix(name, listExt)
		id, err := site.ParseID(name)
		if !ok || err != nil || !info.Mode().IsRegular() {
			continue
		}
		switch {
		case info.ModTime().After(neverLive):
			all = append(all, site.Past{Release: id, Published: info.ModTime().UTC()})
		case id == live:
			all = append(all, site.Past{Release: id})
		}
	}
	return all
}

// held lists the releases of which there is a whole copy.
func (s shelf) held() (held []targets.Held) {
	now := time.Now()
	youngest := map[site.ID]time.Duration{}
	for name, info := range s.names {
		id := releaseOf(path.Join(releases, name))
		if id == site.None || !info.IsDir() || isPartial(name) {
			continue
		}
		age := now.Sub(info.ModTime())
		if least, seen := youngest[id]; !seen || age < least {
			youngest[id] = age
		}
	}
	for id, age := range youngest {
		held = append(held, targets.Held{Release: id, Age: age})
	}
	return held
}
