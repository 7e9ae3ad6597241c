package workspace

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"mirror/internal/front/record"
	"mirror/internal/history"
	"mirror/site"
)

// keptAnnouncements is how many announced releases are kept.
const keptAnnouncements = 4

// announce notes the files of a release that is about to go live, for a front on this machine: the history
// has a release only once its publish has ended, and that may wait for the front.
func (w *Workspace) announce(rel *site.Release) {
	if w.State.Sealed() {
		return
	}
	dir := w.State.Announced()
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = record.Write(filepath.Join(dir, string(rel.ID())), record.Release{
			Beacon: site.Beacon{Release: rel.ID(), Published: rel.Published}, Manifest: rel.Manifest,
		})
	}
	if err == nil {
		err = forgetAnnouncements(dir)
	}
	if err != nil {
		w.options.Warnings.Add("a front on this machine does not know this release before the publish has ended: %v", err)
	}
}

// forgetAnnouncements deletes all but the latest.
func forgetAnnouncements(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	age := func(e os.DirEntry) int64 {
		info, err := e.Info()
		if err != nil {
			return 0
		}
		return info.ModTime().UnixNano()
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return cmp.Compare(age(b), age(a)) })
	var errs []error
	for _, e := range entries[min(len(entries), keptAnnouncements):] {
		errs = append(errs, os.Remove(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}

// errUnpublished says that a machine has not published a release.
var errUnpublished = errors.New("it was not published from this machine (hint: front.trust: targets, or quorum, on a machine that does not publish)")

// publishedManifest returns the manifest of a release that was published from here, or is about to be.
func (w *Workspace) publishedManifest(ctx context.Context, id site.ID) (site.Manifest, error) {
	if r, err := record.Read(filepath.Join(w.State.Announced(), string(id))); err == nil && r.Release == id {
		return r.Manifest, nil
	}
	var found site.Past
	var ok bool
	err := w.remember(ctx, func(h *history.Store) (err error) {
		found, ok, err = h.Release(ctx, id)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errUnpublished
	}
	return found.Manifest, nil
}
