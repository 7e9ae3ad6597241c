package workspace

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"mirror/internal/static"
	"mirror/site"
	"mirror/targets"
)

// Releases is a place from which the live release can be had whole.
type Releases interface {
	Live(ctx context.Context) (targets.Live, error)
	targets.Restorer
}

// Bounds of a release that is followed.
const (
	followWorkers = 16
	maxFollowed   = 1 << 20  // files
	maxFollowedIn = 64 << 30 // bytes of all files
)

// FollowedReleases is the source of a server that serves what is live in a place.
type FollowedReleases struct{ Releases }

// versioned is a place that names more than the release: another version has other files beside it, such as those in grace.
type versioned interface {
	Version(ctx context.Context) (id site.ID, version string, err error)
}

// companions is a release that is served with files beside its own, such as the beacon and those in grace.
type companions interface{ Beside() []site.File }

// Current names the live release and, after an @, its version where the place tells one.
func (f FollowedReleases) Current(ctx context.Context) (string, error) {
	v, ok := f.Releases.(versioned)
	if !ok {
		live, err := f.Live(ctx)
		return string(live.Release), err
	}
	id, version, err := v.Version(ctx)
	if err != nil || id == site.None {
		return "", err
	}
	return string(id) + "@" + version, nil
}

// Fetch reads the files of a release, and compares each with its digest.
func (f FollowedReleases) Fetch(ctx context.Context, version string, spool *static.Spool) (map[string]static.Section, error) {
	name, _, _ := strings.Cut(version, "@")
	id := site.ID(name)
	held, err := f.Restore(ctx, id)
	if err != nil {
		return nil, err
	}
	defer held.Close()
	m := held.Manifest()
	if c, ok := held.(companions); ok {
		m = append(slices.Clone(m), c.Beside()...)
	}
	if len(m) > maxFollowed || m.Bytes() > maxFollowedIn {
		return nil, fmt.Errorf("release %s is too large to be served from here: %d files, %d bytes", id.Short(), len(m), m.Bytes())
	}
	var mu sync.Mutex
	files := make(map[string]static.Section, len(m))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(followWorkers)
	own := len(held.Manifest())
	for i, file := range m {
		g.Go(func() error {
			at, err := fetchFile(ctx, held, file, spool)
			if err != nil && i >= own && ctx.Err() == nil {
				return nil // the site is whole without it
			}
			if err != nil {
				return fmt.Errorf("%s: %w", file.Path, err)
			}
			mu.Lock()
			defer mu.Unlock()
			files[file.Path] = at
			return nil
		})
	}
	return files, g.Wait()
}

// fetchFile stores a file in the spool if its bytes have the digest.
func fetchFile(ctx context.Context, held targets.Restored, file site.File, spool *static.Spool) (static.Section, error) {
	at, w := spool.Reserve(file.Size)
	h := sha256.New()
	if err := held.Copy(ctx, io.MultiWriter(h, w), file); err != nil {
		return at, err
	}
	if site.Digest(h.Sum(nil)) != file.Digest {
		return at, site.ErrChanged
	}
	return at, nil
}
