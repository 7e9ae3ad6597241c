package dir

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"mirror/site"
	"mirror/targets"
)

var _ targets.Historian = (*Target)(nil)

// listExt ends the name of the file beside a release's folder that lists what is in it, as
// sha256sum -c reads it. Its time is when the release last went live, before neverLive where
// it was only staged.
const listExt = ".sha256"

var neverLive = time.Unix(1, 0)

func (t *Target) listFile(id site.ID) string {
	return filepath.Join(t.path, releases, string(id)+listExt)
}

// writeList stores the list of a staged release. One that was live before stays as it is.
func (t *Target) writeList(m site.Manifest) error {
	file := t.listFile(m.ID())
	if _, err := readList(file, m.ID()); err == nil {
		return nil
	}
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return err
	}
	if err := renameio.WriteFile(file, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return os.Chtimes(file, neverLive, neverLive)
}

// wentLive notes the time: later than that of all others, also where another publisher's
// clock is ahead.
func (t *Target) wentLive(id site.ID) {
	now := time.Now()
	all, _ := t.listed(site.None)
	for _, p := range all {
		if p.Release != id && !p.Published.Before(now) {
			now = p.Published.Add(time.Millisecond)
		}
	}
	_ = os.Chtimes(t.listFile(id), now, now) // it is live; without the time it is only forgotten sooner
}

// wasUndone forgets the time: a release that was rolled back is not one to go back to.
func (t *Target) wasUndone(id site.ID) { _ = os.Chtimes(t.listFile(id), neverLive, neverLive) }

// maxList bounds a list that is read, in bytes.
const maxList = 512 << 20

// readList reads a list that is the release's.
func readList(file string, id site.ID) (site.Manifest, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxList {
		return nil, fmt.Errorf("%s is no list of files", file)
	}
	r, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	m, err := site.ReadManifest(r)
	if err == nil && m.ID() != id {
		err = fmt.Errorf("%s is not of its release", file)
	}
	return m, err
}

// Past lists the releases whose folders are kept, from the lists beside them: the live one
// first, then those that went live before, the latest first. What is live and was put there
// by others is read itself, the files of the paths in of only.
func (t *Target) Past(ctx context.Context, limit int, of []string) ([]site.Past, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	all, err := t.sequence(live.Release)
	if err != nil {
		return nil, err
	}
	var past []site.Past
	if live.Revision != "" && (len(all) == 0 || all[0].Release != live.Release) {
		m, err := t.lookAt(ctx, current, of)
		if err != nil {
			return nil, err
		}
		past = append(past, site.Past{Manifest: m})
	}
	for _, p := range all {
		if len(past) >= limit || ctx.Err() != nil {
			break
		}
		if p.Manifest, err = readList(t.listFile(p.Release), p.Release); err == nil {
			past = append(past, p)
		}
	}
	return past[:min(len(past), limit)], ctx.Err()
}

// sequence names the releases that are or were live, without their files: the live one
// first, then those that went live before, the latest first.
func (t *Target) sequence(live site.ID) ([]site.Past, error) {
	all, err := t.listed(live)
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
func (t *Target) listed(live site.ID) ([]site.Past, error) {
	entries, err := os.ReadDir(filepath.Join(t.path, releases))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("dir: %w", err)
	}
	var all []site.Past
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), listExt)
		id, err := site.ParseID(name)
		if !ok || err != nil {
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

// lookAt lists a folder below the target's path, and hashes the files that are asked for.
func (t *Target) lookAt(ctx context.Context, name string, of []string) (site.Manifest, error) {
	root, err := os.OpenRoot(filepath.Join(t.path, name))
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	defer root.Close()
	asked := make(map[string]bool, len(of))
	for _, path := range of {
		asked[path] = true
	}
	var m site.Manifest
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		info, err := fs.Stat(root.FS(), path)
		if err != nil {
			return err
		}
		f := site.File{Path: path, Size: info.Size()}
		if asked[path] {
			f.Digest, f.Size, err = hashFile(root.FS(), path)
		}
		m = append(m, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dir: past: %w", err)
	}
	m.Sort()
	return slices.DeleteFunc(m, func(f site.File) bool { return isBeacon(root.FS(), f) }), nil
}
