package image

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"mirror/site"
)

// Modes of everything in a layer of ours, whatever they are on this machine.
const (
	modeFile = 0o644
	ModeExec = 0o755 // of a program
	ModeDir  = 0o755 // of a folder
)

// WriteSite writes the site's layer as a tar stream: an opaque web root, so that nothing
// of the base shines through, and below it the files and the beacon in path order.
//
// Files bear the time of publishing: servers make validators from time and size, so a time
// that stayed the same would let browsers keep an old page of the same size.
func WriteSite(ctx context.Context, w io.Writer, rel *site.Release, webRoot string) error {
	s := newSiteWriter(w, rel, webRoot)
	s.opaque = map[string]bool{"": true}
	if err := s.folder(""); err != nil {
		return err
	}
	for _, f := range withBeside(rel) {
		if err := s.writeParents(f.Path); err != nil {
			return err
		}
		if err := s.writeFile(ctx, rel, f); err != nil {
			return err
		}
	}
	return s.tar.Close()
}

// PublishedAt is the time in an image: whole seconds, as every format can hold it.
func PublishedAt(rel *site.Release) time.Time {
	if rel.Published.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return rel.Published.UTC().Truncate(time.Second)
}

// withBeside returns the release's files with its beacon, and its manifest where that is public, in their places.
func withBeside(rel *site.Release) site.Manifest {
	all := slices.Clone(rel.Manifest)
	for path, text := range rel.Beside() {
		all = append(all, site.File{Path: path, Size: int64(len(text))})
	}
	all.Sort()
	return all
}

type siteWriter struct {
	tar    *tar.Writer
	root   string
	mtime  time.Time
	dir    string          // the folder written last, below the root
	opaque map[string]bool // folders that hide what lower layers have in them; "" for the root
	buf    []byte
}

func newSiteWriter(w io.Writer, rel *site.Release, webRoot string) *siteWriter {
	return &siteWriter{
		tar: tar.NewWriter(w), root: strings.TrimPrefix(webRoot, "/"), mtime: PublishedAt(rel),
		buf: make([]byte, 256<<10),
	}
}

// folder writes a folder below the root, or the root itself: "".
func (s *siteWriter) folder(p string) error {
	name := strings.TrimSuffix(inRoot(s.root, p), "/")
	if name == "" { // the root of the image: every image has it, and nothing lies below
		return nil
	}
	if err := s.header(tar.TypeDir, name+"/", ModeDir, 0); err != nil || !s.opaque[p] {
		return err
	}
	return s.empty(path.Join(p, opaqueWhiteout))
}

// empty writes a whiteout.
func (s *siteWriter) empty(p string) error {
	return s.header(tar.TypeReg, inRoot(s.root, p), modeFile, 0)
}

func (s *siteWriter) writeFile(ctx context.Context, rel *site.Release, f site.File) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("layer: %s: %w", f.Path, err)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.header(tar.TypeReg, inRoot(s.root, f.Path), modeFile, f.Size); err != nil {
		return err
	}
	switch f.Path {
	case rel.BeaconPath:
		_, err := s.tar.Write(rel.Beacon())
		return err
	case rel.SumsPath():
		_, err := s.tar.Write(rel.Sums())
		return err
	}
	r, err := rel.OpenContext(ctx, f)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.CopyBuffer(s.tar, struct{ io.Reader }{r}, s.buf)
	return err
}

// writeParents writes the folders of a path that were not written yet. In path order all that
// is below one folder comes together, so the last one written tells.
func (s *siteWriter) writeParents(p string) error {
	for i := 0; i < len(p); i++ {
		if p[i] != '/' || strings.HasPrefix(s.dir+"/", p[:i+1]) {
			continue
		}
		if err := s.folder(p[:i]); err != nil {
			return err
		}
		s.dir = p[:i]
	}
	return nil
}

func (s *siteWriter) header(kind byte, name string, mode, size int64) error {
	return WriteHeader(s.tar, kind, name, mode, size, s.mtime)
}

// WriteHeader writes an entry's header that is the same on every machine.
func WriteHeader(w *tar.Writer, kind byte, name string, mode, size int64, mtime time.Time) error {
	return w.WriteHeader(&tar.Header{
		Typeflag: kind, Name: name, Mode: mode, Size: size, ModTime: mtime, Format: tar.FormatPAX,
	})
}
