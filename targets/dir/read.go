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
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

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

// read lists all that is below root and is no folder, without beacons and manifests, and hashes the files
// that are asked for.
func read(ctx context.Context, root *os.Root, asked func(path string) bool) (site.Manifest, error) {
	all, err := walk(ctx, root, asked)
	if err != nil {
		return nil, fmt.Errorf("dir: read back: %w", err)
	}
	m, err := describeAll(ctx, root, all)
	if err != nil {
		return nil, fmt.Errorf("dir: read back: %w", err)
	}
	m.Sort()
	return slices.DeleteFunc(m, func(f site.File) bool { return site.IsSums(f.Path) || isBeacon(root, f) }), nil
}

// found is what a walk has met: no folder, or one that cannot be read.
type found struct {
	path  string
	entry fs.DirEntry
	hash  bool
}

// walk lists all that is below root.
func walk(ctx context.Context, root *os.Root, asked func(path string) bool) (all []found, err error) {
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrPermission) && path != ".":
			all = append(all, found{path, d, false})
			return fs.SkipDir
		case err != nil || d.IsDir():
			return err
		}
		all = append(all, found{path, d, asked(path)})
		return nil
	})
	return all, err
}

// readBuffer is how many bytes of a file are read at once.
const readBuffer = 64 << 10

// describeAll reads files, several at once.
func describeAll(ctx context.Context, root *os.Root, all []found) (site.Manifest, error) {
	m := make(site.Manifest, len(all))
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(all)) {
		group.Go(func() error {
			buf := make([]byte, readBuffer)
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				var err error
				if m[i], err = all[i].describe(ctx, root, buf); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return m, group.Wait()
}

// describe describes one file, without a digest where it is not to be or cannot be read.
func (e found) describe(ctx context.Context, root *os.Root, buf []byte) (site.File, error) {
	f := site.File{Path: e.path}
	if !e.entry.Type().IsRegular() {
		return f, nil
	}
	if !e.hash {
		info, err := e.entry.Info()
		if err == nil {
			f.Size = info.Size()
		}
		return f, err
	}
	digest, size, err := hashFile(ctx, root, e.path, buf)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, regular.ErrNotRegular) {
		return f, nil
	}
	f.Digest, f.Size = digest, size
	return f, err
}

func hashFile(ctx context.Context, root *os.Root, path string, buf []byte) (site.Digest, int64, error) {
	r, err := regular.OpenOwn(root, path)
	if err != nil {
		return site.Digest{}, 0, err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.CopyBuffer(h, wait.Reader(ctx, r), buf)
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
