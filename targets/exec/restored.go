package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"mirror/internal/regular"
	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// restored is a folder with the files of a release.
type restored struct {
	ours     string // folder that is removed in the end
	manifest site.Manifest
	root     *os.Root // nil before it is open
}

// open opens what the program names. A release of which a file is missing, or has another size, is not held.
func (r *restored) open(answer protocol.Line, id site.ID) (err error) {
	if r.manifest, err = protocol.ReadManifest(answer.List, id); err != nil {
		return err
	}
	folder := r.ours
	if answer.Folder != "" {
		folder = answer.Folder
	}
	if r.root, err = os.OpenRoot(folder); err != nil {
		return err
	}
	for i, f := range r.manifest {
		info, err := r.root.Lstat(f.Path)
		if err != nil || !info.Mode().IsRegular() {
			return fmt.Errorf("%q of release %s is not there: %w", f.Path, id.Short(), targets.ErrNotHeld)
		}
		r.manifest[i].Size = info.Size() // the list has no sizes
	}
	return nil
}

// has reports whether a file is there.
func (r *restored) has(f site.File) bool {
	info, err := r.root.Lstat(f.Path)
	return err == nil && info.Mode().IsRegular()
}

// Manifest returns the list of the release.
func (r *restored) Manifest() site.Manifest { return r.manifest }

// Copy reads a file of the folder, and nothing outside of it.
func (r *restored) Copy(ctx context.Context, w io.Writer, f site.File) error {
	file, err := regular.OpenOwn(r.root, f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, wait.Reader(ctx, file))
	return err
}

// Close removes what was made for this release.
func (r *restored) Close() error {
	var err error
	if r.root != nil {
		err = r.root.Close()
	}
	return errors.Join(err, os.RemoveAll(r.ours))
}
