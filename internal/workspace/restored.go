package workspace

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"mirror/site"
	"mirror/targets"
)

// restoredSite is a release whose files are read from the targets that hold it, each when it is first
// asked for. What was read is kept in a temporary folder until Close. A file that one target has
// altered or lost is read from the next.
type restoredSite struct {
	ctx      context.Context //nolint:containedctx // fs.FS has no place for it
	manifest site.Manifest
	dir      string
	sources  []*source

	mu    sync.Mutex // guards what follows
	files map[site.Digest]*restoredFile
}

// restoredFile is a content that is read once.
type restoredFile struct {
	reading sync.Mutex
	there   bool
}

// source is a target that holds the release. It is opened when it is first needed.
type source struct {
	name string
	from targets.Restorer
	id   site.ID

	opening sync.Mutex
	opened  targets.Restored // nil before
	err     error
}

func (s *source) open(ctx context.Context) (targets.Restored, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.opened == nil && s.err == nil {
		s.opened, s.err = s.from.Restore(ctx, s.id)
	}
	return s.opened, s.err
}

func (s *source) close() error {
	if s.opened == nil {
		return nil
	}
	return s.opened.Close()
}

// findManifest returns the manifest of the first target that has it.
func (r *restoredSite) findManifest(id site.ID) (site.Manifest, error) {
	var errs []error
	for _, s := range r.sources {
		from, err := s.open(r.ctx)
		if err == nil && from.Manifest().ID() == id {
			return from.Manifest(), nil
		}
		if err == nil {
			err = fmt.Errorf("the list of its files is not that of release %s", id.Short())
		}
		errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
	}
	return nil, fmt.Errorf("no target gives release %s whole: %w\n(%s)", id.Short(), errors.Join(errs...), lostHint)
}

// Open opens a file of the release.
func (r *restoredSite) Open(name string) (fs.File, error) {
	f, ok := r.manifest.Find(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err := r.fetch(f); err != nil {
		return nil, r.lost(name, err)
	}
	return os.Open(r.path(f))
}

// lostHint is the way out where no target gives a release whole.
const lostHint = "hint: mirror rollback --list shows the releases that targets hold; without --target all of them are asked; else build the site of that time again and publish it"

// lost says that no target gives a file.
func (r *restoredSite) lost(name string, err error) error {
	if r.ctx.Err() != nil {
		return &fs.PathError{Op: "restore", Path: name, Err: err}
	}
	return fmt.Errorf("%q: %w: %w (%s)", name, site.ErrLost, err, lostHint)
}

// fetch reads a content unless that was done.
func (r *restoredSite) fetch(f site.File) error {
	r.mu.Lock()
	one := r.files[f.Digest]
	if one == nil {
		one = &restoredFile{}
		r.files[f.Digest] = one
	}
	r.mu.Unlock()
	one.reading.Lock()
	defer one.reading.Unlock()
	if one.there {
		return nil
	}
	err := r.read(f)
	one.there = err == nil
	return err
}

func (r *restoredSite) path(f site.File) string { return filepath.Join(r.dir, f.Digest.String()) }

// read copies a file from the first target that has it as it was.
func (r *restoredSite) read(f site.File) error {
	var errs []error
	for _, s := range r.sources {
		from, err := s.open(r.ctx)
		if err == nil {
			err = r.readFrom(from, f)
		}
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		if r.ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// readFrom copies a file and compares it with its digest.
func (r *restoredSite) readFrom(from targets.Restored, f site.File) (err error) {
	out, err := os.OpenFile(r.path(f), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	h := sha256.New()
	w := &bounded{io.MultiWriter(out, h), f.Size}
	if err := from.Copy(r.ctx, w, f); err != nil {
		return err
	}
	if w.left != 0 || site.Digest(h.Sum(nil)) != f.Digest {
		return errors.New("what it holds in its place has other bytes, or is gone")
	}
	return nil
}

// bounded takes as many bytes as a file has, and no more.
type bounded struct {
	w    io.Writer
	left int64
}

// Write refuses what is too much.
func (b *bounded) Write(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		return 0, errors.New("more bytes are held than the release's file has")
	}
	n, err := b.w.Write(p)
	b.left -= int64(n)
	return n, err
}

// Close deletes what was read.
func (r *restoredSite) Close() error {
	err := os.RemoveAll(r.dir)
	for _, s := range r.sources {
		err = errors.Join(err, s.close())
	}
	return err
}
