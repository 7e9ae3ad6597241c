package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/publish"
	"mirror/site"
	"mirror/targets"
)

// erasing bounds how long one target may take to remove files for good.
const erasing = 10 * time.Minute

// ErasureError says that files were not removed from everything that targets keep.
type ErasureError struct{ Err error }

// Error says what failed and that it can be repeated.
func (e *ErasureError) Error() string {
	return "purge: " + e.Err.Error() + " (hint: the same command again purges what is left)"
}

// Unwrap returns what failed.
func (e *ErasureError) Unwrap() error { return e.Err }

// erasedPaths checks the paths to purge, which may be written with a slash at the beginning as in a URL.
func erasedPaths(given []string) ([]string, error) {
	var paths []string
	for _, text := range given {
		path := strings.TrimPrefix(text, "/")
		if path == "." || !fs.ValidPath(path) || strings.Contains(path, "*") {
			return nil, fmt.Errorf("--purge-now %s: not the path of one file of the site (hint: secrets/key.txt; patterns are not expanded)", text)
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// refuseErasure refuses to purge files that the site has.
func refuseErasure(rel *site.Release, paths []string) error {
	for _, path := range paths {
		if _, there := rel.Manifest.Find(path); there || path == rel.BeaconPath {
			return fmt.Errorf("--purge-now: the site that is to be published has %q; nothing was done (hint: remove it from the site, and build and publish again with --purge-now)", path)
		}
	}
	return nil
}

// erase removes files from all that the targets keep and from the caches before the origins, after a publish.
func (w *Workspace) erase(ctx context.Context, r *publish.Report, rel *site.Release, dests []targets.Destination, paths []string) error {
	w.options.Events.Phase("purge")
	for _, path := range w.unknownPaths(ctx, rel, dests, paths) {
		w.options.Warnings.Add("--purge-now %s: no release that the targets or the history here list had this file (hint: is the path right? it is that of the file in the site's folder)", path)
	}
	r.Erased = make([]publish.Erasure, len(dests))
	var running sync.WaitGroup
	for i, dest := range dests {
		r.Erased[i].Name = dest.Name
		running.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, erasing)
			defer cancel()
			r.Erased[i].Left, r.Erased[i].Err = eraseOne(ctx, dest, targets.Erasure{Paths: paths, Live: rel})
		})
	}
	running.Wait()
	errs := []error{w.eraseFromCaches(ctx, r, rel, paths)}
	for i, dest := range dests {
		e := &r.Erased[i]
		if err := os.RemoveAll(w.State.Target(dest.Name)); err != nil && e.Err == nil {
			e.Err = fmt.Errorf("what is remembered of it on this machine: %w", err)
		}
		if e.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.Name, e.Err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return &ErasureError{err}
	}
	return nil
}

// maxKnown is how many releases of a target are searched for a path to purge.
const maxKnown = 1000

// unknownPaths returns the paths that no earlier release had, as far as the targets and the history here tell: most likely
// they are not those of the files that are to be purged.
func (w *Workspace) unknownPaths(ctx context.Context, rel *site.Release, dests []targets.Destination, paths []string) []string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	known := w.removed(ctx, rel.Manifest)
	found := make([][]site.Past, len(dests))
	var asking sync.WaitGroup
	for i, d := range dests {
		asking.Go(func() {
			if h, ok := d.Target.(targets.Historian); ok {
				found[i], _ = h.Past(ctx, maxKnown, nil) // what a target cannot list is unknown
			}
		})
	}
	asking.Wait()
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return slices.Contains(known, path) || slices.ContainsFunc(slices.Concat(found...), func(p site.Past) bool {
			_, had := p.Manifest.Find(path)
			return had
		})
	})
}

// eraseAfter is erase where the site is live. Where a publish failed, what it would have replaced is live still.
func (w *Workspace) eraseAfter(ctx context.Context, r *publish.Report, rel *site.Release, dests []targets.Destination, paths []string) error {
	switch r.Outcome {
	case publish.Live, publish.Unchanged, publish.Diverged:
		return w.erase(ctx, r, rel, dests, paths)
	}
	return &ErasureError{errors.New("the site is not live, so nothing was purged")}
}

func eraseOne(ctx context.Context, dest targets.Destination, e targets.Erasure) ([]string, error) {
	eraser, ok := targets.As[targets.Eraser](ctx, dest.Target)
	if !ok {
		return nil, errors.New("this kind of target cannot remove what it keeps of earlier releases: remove it there by hand")
	}
	return eraser.Erase(ctx, e)
}

// eraseFromCaches purges the URLs of the files from the caches before all origins.
func (w *Workspace) eraseFromCaches(ctx context.Context, r *publish.Report, rel *site.Release, paths []string) error {
	caches, err := w.caches()
	if caches == nil || err != nil {
		return err
	}
	caches.Start(rel.ID())
	for _, front := range caches.fronts {
		caches.Changed(front.Name, diff.Changes{Delete: paths})
	}
	ctx, cancel := context.WithTimeout(ctx, erasing)
	defer cancel()
	var errs []error
	for _, p := range caches.Finish(ctx) {
		r.Purges = append(r.Purges, p)
		if p.Err != nil {
			errs = append(errs, fmt.Errorf("caches before %s: %w", p.Origin, p.Err))
		}
	}
	return errors.Join(errs...)
}
