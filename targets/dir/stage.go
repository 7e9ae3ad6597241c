package dir

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets"
)

const (
	// partial ends the name of a copy that is being made.
	partial = ".partial"
	// writers is how many files are copied at once.
	writers = 8
	// maxBeacon bounds what is read to tell whether a file is a beacon.
	maxBeacon = 4 << 10
)

// Stage copies the release into a folder of its own beside the live one. Files that an
// interrupted Stage left are kept where their bytes are right.
func (t *Target) Stage(ctx context.Context, rel *site.Release, p targets.Progress) error {
	return t.locked(ctx, func() error {
		copies, err := t.copies(rel.ID())
		if err != nil {
			return err
		}
		if len(copies) > 0 && t.holds(ctx, copies[len(copies)-1], rel) {
			return errors.Join(t.touch(copies[len(copies)-1]), t.writeList(rel.Manifest))
		}
		name := copyName(rel.ID(), len(copies)+1)
		work := filepath.Join(t.path, releases, string(rel.ID())+partial)
		if err := t.fill(ctx, work, rel, p); err != nil {
			return err
		}
		if err := t.writeList(rel.Manifest); err != nil {
			return err
		}
		if err := t.touch(filepath.Join(releases, string(rel.ID())+partial)); err != nil {
			return err
		}
		if err := os.Rename(work, filepath.Join(t.path, releases, name)); err != nil {
			return fmt.Errorf("dir: %w", err)
		}
		return syncFolder(filepath.Join(t.path, releases))
	})
}

// holds reports whether a copy has exactly the release's bytes.
func (t *Target) holds(ctx context.Context, name string, rel *site.Release) bool {
	m, err := t.read(ctx, name)
	return err == nil && slices.Equal(m, rel.Manifest)
}

// fill makes dir hold the release and its beacon, and nothing else.
func (t *Target) fill(ctx context.Context, dir string, rel *site.Release, p targets.Progress) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	defer root.Close()
	missing, err := t.sweep(ctx, root, rel)
	if err != nil {
		return err
	}
	if p != nil {
		p.Expect(len(missing), site.Manifest(missing).Bytes())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, f := range missing {
		group.Go(func() error {
			if err := copyFile(ctx, root, rel, f); err != nil {
				return fmt.Errorf("dir: stage %q: %w", f.Path, err)
			}
			if p != nil {
				p.Sent(1, f.Size)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if rel.BeaconPath != "" {
		if err := write(root, rel.BeaconPath, strings.NewReader(string(rel.Beacon()))); err != nil {
			return fmt.Errorf("dir: stage the beacon: %w", err)
		}
	}
	return syncFolders(dir)
}

// sweep removes what an interrupted Stage left wrong and returns the files to copy.
func (t *Target) sweep(ctx context.Context, root *os.Root, rel *site.Release) ([]site.File, error) {
	right := map[string]bool{}
	err := fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		f, ok := rel.Manifest.Find(path)
		if digest, _, err := hashFile(root.FS(), path); ok && err == nil && digest == f.Digest {
			right[path] = true
			return nil
		}
		return root.Remove(path)
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

func copyFile(ctx context.Context, root *os.Root, rel *site.Release, f site.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := rel.Open(f)
	if err != nil {
		return err
	}
	defer r.Close()
	return write(root, f.Path, onlyReader{r})
}

// onlyReader keeps io.Copy on Read, where the bytes are compared with the manifest.
type onlyReader struct{ io.Reader }

// write stores a file durably.
func write(root *os.Root, path string, r io.Reader) error {
	if dir := filepath.Dir(path); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	w, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

// syncFolders makes the names below dir durable.
func syncFolders(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncFolder(path)
	})
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// ReadBack hashes the files of the folder that the symlink names.
func (t *Target) ReadBack(ctx context.Context) (site.Manifest, error) {
	m, err := t.read(ctx, current)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return m, err
}

// read hashes a folder below the target's path. A symlink in it counts as what it names
// inside the folder; one that leads out is an error.
func (t *Target) read(ctx context.Context, name string) (site.Manifest, error) {
	root, err := os.OpenRoot(filepath.Join(t.path, name))
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	defer root.Close()
	var m site.Manifest
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		digest, size, err := hashFile(root.FS(), path)
		if err != nil {
			return err
		}
		m = append(m, site.File{Path: path, Size: size, Digest: digest})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("dir: read back: %w", err)
	}
	m.Sort()
	return slices.DeleteFunc(m, func(f site.File) bool { return isBeacon(root.FS(), f) }), nil
}

func hashFile(fsys fs.FS, path string) (site.Digest, int64, error) {
	r, err := fsys.Open(path)
	if err != nil {
		return site.Digest{}, 0, err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	return site.Digest(h.Sum(nil)), n, err
}

// isBeacon reports whether a file is a beacon by what it says, wherever the config of the
// time put it: a beacon is the JSON document that names a release.
func isBeacon(fsys fs.FS, f site.File) bool {
	if f.Size > maxBeacon || filepath.Ext(f.Path) != ".json" {
		return false
	}
	text, err := fs.ReadFile(fsys, f.Path)
	if err != nil {
		return false
	}
	var b site.Beacon
	if json.Unmarshal(text, &b) != nil {
		return false
	}
	_, err = site.ParseID(string(b.Release))
	return err == nil && !b.Published.IsZero()
}
