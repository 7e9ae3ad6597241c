package dir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"golang.org/x/sync/errgroup"

	"mirror/internal/oserr"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// writers is how many files are copied at once.
const writers = 8

// Stage copies the release into a folder of its own beside the live one. Files that an
// interrupted Stage left are kept where their bytes are right. A Stage for which there is no
// room leaves nothing behind.
func (t *Target) Stage(ctx context.Context, rel *site.Release, progress targets.Progress) error {
	if err := t.names.refuse(rel); err != nil {
		return err
	}
	return t.locked(ctx, func(p *place) error {
		err := p.stage(ctx, rel, progress)
		if oserr.NoRoom(err) {
			if left := p.dropPartial(""); left != nil {
				return errors.Join(err, left)
			}
			return fmt.Errorf("%w (what was staged of the release is removed again)", err)
		}
		return err
	})
}

func (p *place) stage(ctx context.Context, rel *site.Release, progress targets.Progress) error {
	work := string(rel.ID()) + releasedir.Partial
	if err := p.dropPartial(work); err != nil {
		return err
	}
	all, err := p.listing()
	if err != nil {
		return err
	}
	names, free := all.Copies(rel.ID())
	if n := len(names); n > 0 && p.holds(ctx, names[n-1], rel) {
		return errors.Join(p.restoreModes(ctx, names[n-1], rel), p.renewBeside(names[n-1], rel), p.touch(names[n-1]), p.writeList(rel.Manifest))
	}
	if err := p.fill(ctx, work, rel, progress); err != nil {
		return err
	}
	if err := p.writeList(rel.Manifest); err != nil {
		return err
	}
	if err := errors.Join(p.touch(work), p.releases.Rename(work, free)); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return p.sync()
}

// dropPartial removes what stagings left half done, but for the one that is resumed. The
// caller holds the lock: none is under way.
func (p *place) dropPartial(resumed string) error {
	all, err := p.listing()
	if err != nil {
		return err
	}
	left := all.Partials(func(name string, info fs.FileInfo) bool { return name != resumed || !info.IsDir() })
	var errs []error
	for _, name := range left {
		errs = append(errs, p.releases.RemoveAll(name))
	}
	return errors.Join(errs...)
}

// holds reports whether a copy has exactly the release's bytes.
func (p *place) holds(ctx context.Context, name string, rel *site.Release) bool {
	root, err := openOwn(p.releases, name)
	if err != nil {
		return false
	}
	defer root.Close()
	m, _, err := readBeside(ctx, root, p.beside(rel.ID(), rel.Manifest))
	return err == nil && m.ID() == rel.ID()
}

// restoreModes gives a copy from before the modes of today.
func (p *place) restoreModes(ctx context.Context, name string, rel *site.Release) error {
	root, err := openOwn(p.releases, name)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	defer root.Close()
	if err := p.modes.restore(ctx, root, rel); err != nil {
		return fmt.Errorf("dir: modes of the staged release: %w", err)
	}
	return nil
}

// renewBeside makes a copy that was staged before tell of this publish. The live copy stays as it is.
func (p *place) renewBeside(name string, rel *site.Release) error {
	if p.isLive(name) {
		return nil
	}
	root, err := openOwn(p.releases, name)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	defer root.Close()
	for path, text := range rel.Beside() {
		if err := p.modes.renew(root, path, text); err != nil {
			return fmt.Errorf("dir: %s: %w", path, err)
		}
	}
	if !rel.PublishManifest {
		if err := root.RemoveAll(site.SumsPath(rel.ID())); err != nil {
			return fmt.Errorf("dir: %w", err)
		}
	}
	return p.modes.finishFolders(root)
}

// renew puts a file in place of one of the same name, in one step.
func (m modes) renew(root *os.Root, name string, text []byte) error {
	made := name + releasedir.Partial
	err := root.RemoveAll(made)
	if err == nil {
		err = m.write(root, made, bytes.NewReader(text))
	}
	if err == nil {
		err = root.Rename(made, name)
	}
	if err == nil {
		err = syncFolder(root, path.Dir(name))
	}
	return err
}

// fill makes a folder hold the release and what lies beside it, and nothing else.
func (p *place) fill(ctx context.Context, name string, rel *site.Release, progress targets.Progress) error {
	if err := p.releases.MkdirAll(name, p.modes.folder); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	root, err := openOwn(p.releases, name)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	defer root.Close()
	missing, err := p.modes.sweep(ctx, root, rel)
	if err != nil {
		return err
	}
	if progress != nil {
		progress.Expect(len(missing), site.Manifest(missing).Bytes())
	}
	if err := p.modes.copyAll(ctx, root, rel, missing, progress); err != nil {
		return err
	}
	for path, text := range rel.Beside() {
		if err := p.modes.write(root, path, bytes.NewReader(text)); err != nil {
			return fmt.Errorf("dir: %s: %w", path, err)
		}
	}
	return p.modes.finishFolders(root)
}

func (m modes) copyAll(ctx context.Context, root *os.Root, rel *site.Release, files []site.File, progress targets.Progress) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, f := range files {
		group.Go(func() error {
			if err := m.copyFile(ctx, root, rel, f); err != nil {
				return fmt.Errorf("dir: %w", err) // it names the file
			}
			if progress != nil {
				progress.Sent(1, f.Size)
			}
			return nil
		})
	}
	return group.Wait()
}

// sweep removes what an interrupted Stage left wrong and returns the files to copy. A file
// that has other names too is not ours alone, and is made anew.
func (m modes) sweep(ctx context.Context, root *os.Root, rel *site.Release) ([]site.File, error) {
	folders := releasedir.Folders(rel.Manifest)
	right, buf := map[string]bool{}, make([]byte, readBuffer)
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil || name == "." {
			return err
		}
		if d.IsDir() && folders[name] {
			return nil
		}
		f, ok := rel.Manifest.Find(name)
		if ok && d.Type().IsRegular() && hasOneName(d) {
			digest, _, err := hashFile(ctx, root, name, buf)
			if err == nil && digest == f.Digest {
				right[name] = true
				return m.ofFile(root, name, d)
			}
		}
		if err := root.RemoveAll(name); err != nil || !d.IsDir() {
			return err
		}
		return fs.SkipDir
	})
	if err != nil {
		return nil, fmt.Errorf("dir: resume: %w", err)
	}
	var missing []site.File
	for _, f := range rel.Manifest {
		if !right[f.Path] {
			missing = append(missing, f)
		}
	}
	return missing, nil
}

func (m modes) copyFile(ctx context.Context, root *os.Root, rel *site.Release, f site.File) error {
	r, err := rel.OpenContext(ctx, f)
	if err != nil {
		return err
	}
	defer r.Close()
	return m.write(root, f.Path, r)
}

// sync makes the names of releases durable.
func (p *place) sync() error { return syncFolder(p.releases, ".") }

// touch notes that a copy was staged now.
func (p *place) touch(name string) error {
	now := time.Now()
	if err := p.releases.Chtimes(name, now, now); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return nil
}
