// Package builtsite opens a site as a build has left it: a folder, an archive or a container image.
// Archives and images are made by others: what they hold is bounded in bytes, files and memory, and
// never written under a name of theirs.
package builtsite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"mirror/internal/regular"
	"mirror/site"
)

// Open opens a site: a folder, a .tar, .tar.gz, .tar.zst or .zip file by whatever name, or oci: and the
// reference of an image, or the folder or tar of an OCI layout, or the file of docker save.
func Open(ctx context.Context, source string, o Options) (*Site, error) {
	o.Limits = o.Limits.withDefaults()
	if ref, ok := strings.CutPrefix(source, imagePrefix); ok {
		return openImage(ctx, ref, o)
	}
	info, err := os.Stat(source)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && source == "":
		return nil, fmt.Errorf("%q %w: there is no such folder or file (hint: the folder that the build has written, its .tar, .tar.gz, .tar.zst or .zip, or oci:REFERENCE)", source, ErrNoSite)
	case err != nil:
		return nil, fmt.Errorf("open the site: %w", err)
	case info.IsDir():
		return openFolder(ctx, source, o)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q %w: it is neither a folder nor a file", source, ErrNoSite)
	}
	return openArchive(ctx, source, o)
}

func openFolder(ctx context.Context, dir string, o Options) (*Site, error) {
	root, err := site.Open(dir)
	if err != nil {
		return nil, err
	}
	rel, err := site.Scan(ctx, regular.FS(root), site.ScanOptions{BeaconPath: site.DefaultBeacon, Published: time.Now(), Progress: o.Progress})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("scan %s: %w", dir, err), root.Close())
	}
	return &Site{Release: rel, From: dir, close: root.Close}, nil
}
