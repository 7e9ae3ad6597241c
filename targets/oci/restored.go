package oci

import (
	"context"
	"io"

	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets/oci/internal/image"
)

// restored is the content of an image.
type restored struct {
	manifest site.Manifest
	content  *image.Copied
}

// Manifest returns the files of the site, from their bytes.
func (r *restored) Manifest() site.Manifest { return r.manifest }

// Copy writes the content of a file.
func (r *restored) Copy(ctx context.Context, w io.Writer, f site.File) error {
	content, err := r.content.Content(f.Path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, wait.Reader(ctx, content))
	return err
}

// Close deletes the temporary file.
func (r *restored) Close() error { return r.content.Close() }
