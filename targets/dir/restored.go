package dir

import (
	"context"
	"io"
	"os"

	"mirror/internal/regular"
	"mirror/internal/wait"
	"mirror/site"
)

// restored is a copy of a release.
type restored struct {
	manifest site.Manifest
	root     *os.Root
}

// Manifest returns the list of the release.
func (r *restored) Manifest() site.Manifest { return r.manifest }

// Copy reads a file of the copy, and nothing outside of it.
func (r *restored) Copy(ctx context.Context, w io.Writer, f site.File) error {
	file, err := regular.OpenOwn(r.root, f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, wait.Reader(ctx, file))
	return err
}

// Close ends the reading.
func (r *restored) Close() error { return r.root.Close() }
