package workspace

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
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

// Current names the live release.
func (f FollowedReleases) Current(ctx context.Context) (string, error) {
	live, err := f.Live(ctx)
	return string(live.Release), err
}

// Fetch reads the files of a release, and compares each with its digest.
func (f FollowedReleases) Fetch(ctx context.Context, version string, spool *static.Spool) (map[string]static.Section, error) {
	held, err := f.Restore(ctx, site.ID(version))
	if err != nil {
		return nil, err
	}
	defer held.Close()
	m := held.Manifest()
	if len(m) > maxFollowed || m.Bytes() > maxFollowedIn {
		return nil, fmt.Errorf("release %s is too large to be served from here: %d files, %d bytes", site.ID(version).Short(), len(m), m.Bytes())
	}
	var mu sync.Mutex
	files := make(map[string]static.Section, len(m))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(followWorkers)
	for _, file := range m {
		g.Go(func() error {
			at, w := spool.Reserve(file.Size)
			h := sha256.New()
			if err := held.Copy(ctx, io.MultiWriter(h, w), file); err != nil {
				return fmt.Errorf("%s: %w", file.Path, err)
			}
			if site.Digest(h.Sum(nil)) != file.Digest {
				return fmt.Errorf("%s: %w", file.Path, site.ErrChanged)
			}
			mu.Lock()
			defer mu.Unlock()
			files[file.Path] = at
			return nil
		})
	}
	return files, g.Wait()
}
