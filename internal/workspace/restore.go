package workspace

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets"
)

// restore opens the release on the first target that has it whole.
func (w *Workspace) restore(ctx context.Context, h HeldRelease, dests []targets.Destination) (*restoredSite, error) {
	dir, err := w.restoreFolder()
	if err != nil {
		return nil, err
	}
	return restoreInto(ctx, dir, h, dests)
}

// restoreInto is restore with a folder of its own, which Close deletes.
func restoreInto(ctx context.Context, dir string, h HeldRelease, dests []targets.Destination) (r *restoredSite, err error) {
	r = &restoredSite{ctx: ctx, dir: dir, files: map[site.Digest]*restoredFile{}}
	for _, d := range dests {
		if from, ok := targets.As[targets.Restorer](ctx, d.Target); ok && slices.Contains(h.Targets, d.Name) {
			r.sources = append(r.sources, &source{name: d.Name, from: from, id: h.Release})
		}
	}
	if r.manifest, err = r.findManifest(h.Release); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// restoreFolder makes a folder for what is read, and deletes those that an interrupted run left. The
// caller holds the journal: no other run uses them.
func (w *Workspace) restoreFolder() (string, error) {
	if w.State.Sealed() {
		return os.MkdirTemp("", "mirror-restored-")
	}
	left, err := filepath.Glob(filepath.Join(w.State.Dir(), "restored-*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(w.State.Dir(), "restored-")
}

// release returns the release, to go live now.
func (r *restoredSite) release(w *Workspace) *site.Release {
	rel := site.NewRelease(r.manifest, r, w.beacon(), time.Now())
	rel.Rollback, rel.PublishManifest = true, w.Config.Site.PublishManifest
	return rel
}
