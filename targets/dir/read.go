package dir

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mirror/internal/regular"
	"mirror/internal/wait"
	"mirror/site"
)

// readLive lists what is live: the site's files, and the paths of those that are kept beside it.
func (t *Target) readLive(ctx context.Context, kept func(path string) bool) (site.Manifest, []string, error) {
	root, err := t.openServed()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("dir: read back: %w", err)
	}
	defer root.Close()
	return readBeside(ctx, root, kept)
}

// readBeside tells the site's files from those that are kept beside it, whose bytes it does not read.
func readBeside(ctx context.Context, root *os.Root, kept func(path string) bool) (m site.Manifest, beside []string, err error) {
	all, err := read(ctx, root, func(path string) bool { return !kept(path) })
	for _, f := range all {
		if kept(f.Path) {
			beside = append(beside, f.Path)
		} else {
			m = append(m, f)
		}
	}
	return m, beside, err
}

// read lists all that is below root and is no folder, without beacons, and hashes the files
// that are asked for.
func read(ctx context.Context, root *os.Root, asked func(path string) bool) (site.Manifest, error) {
	var m site.Manifest
	err := fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrPermission) && path != ".":
			m = append(m, site.File{Path: path}) // a folder that cannot be read
			return fs.SkipDir
		case err != nil || d.IsDir():
			return err
		}
		f, err := readFile(ctx, root, path, d, asked(path))
		m = append(m, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dir: read back: %w", err)
	}
	m.Sort()
	return slices.DeleteFunc(m, func(f site.File) bool { return isBeacon(root, f) }), nil
}

// readFile describes one file, without a digest where it is not to be or cannot be read.
func readFile(ctx context.Context, root *os.Root, path string, d fs.DirEntry, hash bool) (site.File, error) {
	f := site.File{Path: path}
	if !d.Type().IsRegular() {
		return f, nil
	}
	if !hash {
		info, err := d.Info()
		if err == nil {
			f.Size = info.Size()
		}
		return f, err
	}
	digest, size, err := hashFile(ctx, root, path)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, regular.ErrNotRegular) {
		return f, nil
	}
	f.Digest, f.Size = digest, size
	return f, err
}

func hashFile(ctx context.Context, root *os.Root, path string) (site.Digest, int64, error) {
	r, err := regular.OpenOwn(root, path)
	if err != nil {
		return site.Digest{}, 0, err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, wait.Reader(ctx, r))
	return site.Digest(h.Sum(nil)), n, err
}

// isBeacon reports whether a file is a beacon by what it says, wherever the config of the
// time put it: a beacon is the JSON document that names a release.
func isBeacon(root *os.Root, f site.File) bool {
	return f.Size > 0 && f.Size <= site.MaxBeacon && filepath.Ext(f.Path) == ".json" && saysBeacon(root, f.Path)
}

func saysBeacon(root *os.Root, path string) bool {
	b, err := readBeacon(root, path)
	return err == nil && !b.Published.IsZero()
}

func readBeacon(root *os.Root, path string) (site.Beacon, error) {
	r, err := regular.OpenOwn(root, path)
	if err != nil {
		return site.Beacon{}, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, site.MaxBeacon))
	if err != nil {
		return site.Beacon{}, err
	}
	return site.ParseBeacon(text)
}
