package s3

import (
	"context"
	"errors"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/documents"
)

// Erase deletes the staged content, the documents that hold content, and what is served beside the live release. The
// record comes first: it says why a release cannot be restored.
func (t *Target) Erase(ctx context.Context, e targets.Erasure) (left []string, err error) {
	if err := t.erase(ctx, e); err != nil {
		return nil, err
	}
	left = []string{"noncurrent versions, if the bucket keeps versions, and replicas and backups of it", "folders of state on other machines that publish to it"}
	return left, nil
}

func (t *Target) erase(ctx context.Context, e targets.Erasure) error {
	h, err := t.docs.ReadState(ctx)
	if err != nil {
		return err
	}
	if h.None() || h.Phase != documents.PhaseLive || h.Release != e.Live.ID() || h.HeldBy() != "" && !t.mayTake(h) {
		return documents.Conflict(h)
	}
	inv, err := t.list(ctx, h)
	if err != nil {
		return err
	}
	if inv.own, err = t.listOwn(ctx); err != nil {
		return err
	}
	t.docs.Listed(inv.own)
	gone := e.Digests(t.heldManifests(ctx, inv))
	if err := t.writeErased(ctx, gone); err != nil {
		return err
	}
	doomed, served, err := t.doomed(ctx, e, inv, gone)
	if err != nil {
		return err
	}
	if err := t.forgetInGrace(ctx, h, served); err != nil {
		return err
	}
	t.seen.note(documents.StateDocument{}, inventory{}) // what was listed has changed
	return errors.Join(t.bucket.Remove(ctx, doomed), t.docs.Forget())
}

// heldManifests lists the files of all releases whose documents can be read.
func (t *Target) heldManifests(ctx context.Context, inv inventory) []site.Manifest {
	var all []site.Manifest
	for _, entries := range t.heldEntries(ctx, inv) {
		all = append(all, manifestOf(entries))
	}
	return all
}

// heldEntries is heldManifests with what is stored for each file.
func (t *Target) heldEntries(ctx context.Context, inv inventory) []documents.Entries {
	var all []documents.Entries
	for _, r := range inv.releases() {
		_, entries, err := t.pastEntries(ctx, r.Release)
		if err != nil {
			t.log.Warn("the document of a release cannot be read; its content is not looked for", "release", r.Release, "err", err)
			continue
		}
		all = append(all, entries)
	}
	return all
}

// stagedOf lists the staged objects of content: as it is, and compressed.
func stagedOf(held []documents.Entries, gone map[site.Digest]string) (objects []string) {
	for digest := range gone {
		objects = append(objects, documents.ObjectPath(digest))
	}
	for _, entries := range held {
		for _, e := range entries {
			if _, ok := gone[e.File().Digest]; ok {
				objects = append(objects, documents.ObjectPath(e.Digest))
			}
		}
	}
	return objects
}

// doomed lists what to delete, and what of it is served.
func (t *Target) doomed(ctx context.Context, e targets.Erasure, inv inventory, gone map[site.Digest]string) (all, served []string, err error) {
	paths := map[string]bool{}
	held := t.heldEntries(ctx, inv)
	for _, entries := range held {
		for _, path := range e.In(manifestOf(entries), gone) {
			paths[path] = true
		}
	}
	for _, path := range e.Paths {
		paths[path] = true
	}
	for path := range paths {
		_, there := inv.site[path]
		_, filled := inv.filled[path]
		if (there || filled) && !isOwn(e.Live, path) {
			served = append(served, path)
		}
	}
	all = slices.Concat(served, stagedOf(held, gone))
	for path := range inv.own {
		switch {
		case isBackupOf(path, paths):
			all = append(all, path)
		case strings.HasPrefix(path, documents.ChangesFolder):
			ch, err := t.docs.ReadChange(ctx, path)
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			if err == nil && holdsTextOf(ch, paths) {
				all = append(all, path)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), served, nil
}

func isOwn(rel *site.Release, path string) bool { _, ok := rel.Manifest.Find(path); return ok }

// isBackupOf reports whether an object is what one of the paths held before a commit.
func isBackupOf(object string, paths map[string]bool) bool {
	nonce, _, ok := documents.SplitBefore(object)
	if !ok {
		return false
	}
	for path := range paths {
		if documents.BeforePath(nonce, path) == object {
			return true
		}
	}
	return false
}

// holdsTextOf reports whether a change holds the content of one of the paths itself.
func holdsTextOf(ch *documents.Change, paths map[string]bool) bool {
	return slices.ContainsFunc(slices.Concat(ch.Copies, ch.Restores), func(c documents.Copy) bool { return c.Text != nil && paths[c.Path] })
}

// forgetInGrace deletes those of the files that are on the list of those of earlier releases.
func (t *Target) forgetInGrace(ctx context.Context, h documents.StateDocument, served []string) error {
	l := t.graceOf(ctx, h)
	gone := func(path string) bool { return slices.Contains(served, path) }
	if len(l.Without(gone)) == len(l) {
		return nil
	}
	return t.dropGrace(ctx, h, gone)
}
