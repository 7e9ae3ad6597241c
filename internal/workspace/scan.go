package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/internal/config"
	"mirror/internal/humanize"
	"mirror/internal/regular"
	"mirror/internal/state"
	"mirror/site"
)

// tree is a scanned site, or a staged release. Its bytes can be read until Close.
type tree struct {
	*site.Release
	end func() error
}

// Close ends the reading of the site.
func (t tree) Close() error { return t.end() }

// scan reads the site's folder into a release.
func (w *Workspace) scan(ctx context.Context) (tree, error) {
	root, err := site.Open(w.Config.Site.Dir)
	if err != nil {
		hint := "is site.dir right?"
		if w.Config.Site.Build != "" {
			hint = "publish --build runs " + w.Config.Site.Build
		}
		return tree{}, fmt.Errorf("%w (hint: %s)", err, hint)
	}
	cache, err := site.OpenCache(w.State.ScanCache())
	if err != nil {
		w.options.Warnings.Add("every file is hashed again: %v", err)
	}
	events := w.options.Events
	rel, err := site.Scan(ctx, regular.FS(root), site.ScanOptions{
		Exclude: w.excludes(), BeaconPath: w.beacon(), Published: time.Now(), Cache: cache, Progress: events.Hashing(),
	})
	if err != nil {
		return tree{}, errors.Join(fmt.Errorf("scan %s: %w", w.Config.Site.Dir, err), root.Close())
	}
	if rel, err = w.redirected(root, rel); err != nil {
		return tree{}, errors.Join(err, root.Close())
	}
	rel.PublishManifest = w.Config.Site.PublishManifest
	events.Line("site     %s: %s, release %s", w.Config.Site.Dir, humanize.Plural(len(rel.Manifest), "file"), rel.ID().Short())
	if err := cache.Save(); err != nil {
		w.options.Warnings.Add("the next scan hashes every file again: %v", err)
	}
	return tree{rel, root.Close}, nil
}

// excludes adds the config, the state folder, and the one that is used where --state names no
// other, where they lie inside the site.
func (w *Workspace) excludes() []string {
	exclude := slices.Clone(w.Config.Site.Exclude)
	usual := filepath.Join(filepath.Dir(w.Config.File), state.Name)
	for _, own := range []string{w.State.Dir(), usual, w.Config.File} {
		if path, ok := config.Inside(w.Config.Site.Dir, own); ok {
			exclude = append(exclude, path)
		}
	}
	return exclude
}

// Ignores reports whether a path in the site's folder is not published.
func (w *Workspace) Ignores(path string) bool {
	if path == ".git" {
		return true
	}
	return slices.ContainsFunc(w.excludes(), func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
}

// isMissing reports whether the site's folder is not there.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
