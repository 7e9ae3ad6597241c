package builtsite

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"mirror/internal/regular"
	"mirror/internal/stall"
	"mirror/internal/static"
	"mirror/internal/wait"
	"mirror/site"
)

// imageTimeout bounds how long an image may take to be fetched and read.
const imageTimeout = 15 * time.Minute

// webRoots are the folders that the images of web servers serve: of mirror itself, nginx, Apache,
// Caddy, Debian's servers, and of images that are made by hand.
func webRoots() []string {
	return []string{"/site", "/usr/share/nginx/html", "/usr/local/apache2/htdocs", "/usr/share/caddy", "/srv", "/var/www/html", "/var/www", "/public"}
}

// openImage opens the site in an image.
func openImage(ctx context.Context, ref string, o Options) (*Site, error) {
	ctx, cancel := context.WithTimeout(ctx, imageTimeout)
	defer cancel()
	img, done, err := findImage(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer done()
	roots := []string{o.WebRoot}
	if o.WebRoot == "" {
		label, err := static.WebRoot(img)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", ref, err)
		}
		roots = []string{label}
		if label == "" {
			roots = webRoots()
		}
	}
	unpacked, err := static.UnpackAny(img, roots, "", static.ImageLimits{Bytes: o.Limits.Bytes, Entries: o.Limits.Files})
	if err != nil {
		return nil, fmt.Errorf("image %s: %w (hint: --web-root names the folder of the site)", ref, err)
	}
	m, err := hashAll(ctx, unpacked.Tree)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("image %s: %w", ref, err), unpacked.Close())
	}
	rel := site.NewRelease(m, unpacked.Tree, site.DefaultBeacon, time.Now())
	return &Site{Release: rel, From: fmt.Sprintf("%s%s (its folder %s)", imagePrefix, ref, unpacked.Root), close: unpacked.Close}, nil
}

// hashAll lists the files of an image, without the beacon.
func hashAll(ctx context.Context, tree *static.Tree) (site.Manifest, error) {
	var m site.Manifest
	for _, path := range tree.Paths() {
		if path == site.DefaultBeacon || site.IsSums(path) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := tree.Open(path)
		if err != nil {
			return nil, err
		}
		hash := sha256.New()
		n, err := io.Copy(hash, wait.Reader(ctx, f))
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		m = append(m, site.File{Path: path, Size: n, Digest: site.Digest(hash.Sum(nil))})
	}
	if len(m) == 0 {
		return nil, site.ErrEmpty
	}
	m.Sort()
	return m, nil
}

// findImage opens the image of an OCI layout (a folder, or a tar of one), of a file of docker save, or in
// its registry. done frees what it took.
func findImage(ctx context.Context, ref string) (img v1.Image, done func(), err error) {
	info, err := os.Stat(ref)
	switch {
	case err == nil && info.IsDir():
		img, err = layoutImage(ref)
		return img, func() {}, err
	case err == nil && info.Mode().IsRegular():
		return fileImage(ctx, ref)
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return nil, nil, fmt.Errorf("%s%q %w: %w", imagePrefix, ref, ErrNoSite, err)
	}
	img, err = static.Fetch(ctx, parsed, stall.New(http.DefaultTransport, stall.Limit))
	return img, func() {}, err
}

// fileImage opens the one image of a file of docker save, or of the tar of an OCI layout.
func fileImage(ctx context.Context, file string) (v1.Image, func(), error) {
	img, saved := tarball.ImageFromPath(file, nil)
	if saved == nil {
		return img, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "mirror-layout-*")
	if err != nil {
		return nil, nil, err
	}
	done := func() { _ = os.RemoveAll(dir) } // temporary files: nothing is lost
	err = unpackLayout(ctx, file, dir)
	if err == nil {
		img, err = layoutImage(dir)
	}
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("image %s: it is neither the file of docker save with one image nor the tar of an OCI layout: %w", file, saved)
	}
	return img, done, nil
}

// layoutName matches the files of an OCI layout. No other file of an archive is written.
var layoutName = regexp.MustCompile(`^(?:\./)?(index\.json|oci-layout|blobs/sha256/[0-9a-f]{64})$`)

// unpackLayout writes the files of an OCI layout that a tar holds to a folder.
func unpackLayout(ctx context.Context, file, dir string) error {
	f, err := regular.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o700); err != nil {
		return err
	}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("tar: %w", err)
		}
		m := layoutName.FindStringSubmatch(h.Name)
		if m == nil || h.Typeflag != tar.TypeReg {
			continue
		}
		if h.Size > info.Size() { // a sparse file
			return refused(h.Name, "it is larger than the archive", "write the archive without sparse files")
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeNew(filepath.Join(dir, filepath.FromSlash(m[1])), wait.Reader(ctx, r)); err != nil {
			return err
		}
	}
}

// writeNew writes a file that is not there yet.
func writeNew(path string, content io.Reader) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	return errors.Join(err, out.Close())
}

// layoutImage returns the image for this machine of an OCI layout, else its first.
func layoutImage(dir string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("%s is no OCI layout: %w", filepath.Clean(dir), err)
	}
	img, err := imageOf(index, maxLinks)
	if err != nil {
		return nil, fmt.Errorf("OCI layout %s: %w", filepath.Clean(dir), err)
	}
	return img, nil
}

// imageOf picks an image of an index, which may name indexes.
func imageOf(index v1.ImageIndex, depth int) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var first *v1.Descriptor
	for i, m := range manifest.Manifests {
		usable := m.MediaType.IsImage() || m.MediaType.IsIndex() && depth > 0
		own := m.Platform != nil && m.Platform.Satisfies(v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
		if usable && (first == nil || own) {
			first = &manifest.Manifests[i]
		}
		if usable && own {
			break
		}
	}
	switch {
	case first == nil:
		return nil, fmt.Errorf("it names no image")
	case first.MediaType.IsImage():
		return index.Image(first.Digest)
	}
	inner, err := index.ImageIndex(first.Digest)
	if err != nil {
		return nil, err
	}
	return imageOf(inner, depth-1)
}

// IsSource reports whether an argument names a site rather than a URL.
func IsSource(argument string) bool { return !strings.Contains(argument, "://") }
