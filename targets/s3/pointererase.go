package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
)

// Erase deletes the files from the folders of all releases, and what a release in the layout live has left of them. The
// record comes first: it says why a release cannot be restored.
func (p Pointed) Erase(ctx context.Context, e targets.Erasure) (left []string, err error) {
	if err := p.erase(ctx, e); err != nil {
		return nil, wrapped("purge", err)
	}
	return []string{
		"objects outside of .mirror/, which the layout pointer does not touch",
		"noncurrent versions, if the bucket keeps versions, and replicas and backups of it",
		"the caches of servers and functions that follow the pointer, and folders of state on other machines that publish to it",
	}, nil
}

func (p Pointed) erase(ctx context.Context, e targets.Erasure) error {
	now, err := p.t.readPointer(ctx)
	if err != nil {
		return err
	}
	if now.pointerDoc == nil || now.Release != e.Live.ID() {
		return fmt.Errorf("%w: release %s is live", targets.ErrConflict, now.live().Release.Short())
	}
	own, err := p.t.listOwn(ctx)
	if err != nil {
		return err
	}
	p.t.docs.Listed(own)
	held := p.heldManifests(ctx, own)
	gone := e.Digests(slices.Collect(manifestsOf(held)))
	if err := p.t.writeErased(ctx, gone); err != nil {
		return err
	}
	paths := erasedPaths(e, held, gone)
	if l := p.graceAt(ctx, now); slices.ContainsFunc(l.Paths(), func(path string) bool { return paths[path] }) {
		if err := p.dropGrace(ctx, now, l, func(path string) bool { return paths[path] }); err != nil {
			return err
		}
	}
	old, _, err := p.t.doomed(ctx, e, inventory{own: own}, gone)
	if err != nil {
		return err
	}
	doomed := append(old, inFolders(own, held, paths, e, gone)...)
	return errors.Join(p.t.bucket.Remove(ctx, doomed), p.t.docs.Forget())
}

// heldManifests returns the files of all releases whose lists can be read.
func (p Pointed) heldManifests(ctx context.Context, own map[string]bucket.Object) map[site.ID]site.Manifest {
	all := map[site.ID]site.Manifest{}
	for _, h := range heldIn(own) {
		l, err := p.readList(ctx, h.Release)
		if err != nil {
			p.t.log.Warn("the list of a release cannot be read; its content is not looked for", "release", h.Release, "err", err)
			continue
		}
		all[h.Release] = l.manifest()
	}
	return all
}

func manifestsOf(held map[site.ID]site.Manifest) func(yield func(site.Manifest) bool) {
	return func(yield func(site.Manifest) bool) {
		for _, m := range held {
			if !yield(m) {
				return
			}
		}
	}
}

// erasedPaths are all names that the content had.
func erasedPaths(e targets.Erasure, held map[site.ID]site.Manifest, gone map[site.Digest]string) map[string]bool {
	paths := map[string]bool{}
	for _, path := range e.Paths {
		paths[path] = true
	}
	for _, m := range held {
		for _, path := range e.In(m, gone) {
			paths[path] = true
		}
	}
	return paths
}

// inFolders lists the objects of the content in the folders of releases: a release's own files where they are to go, and
// files in grace by their names.
func inFolders(own map[string]bucket.Object, held map[site.ID]site.Manifest, paths map[string]bool, e targets.Erasure, gone map[site.Digest]string) []string {
	doomed := map[site.ID][]string{}
	for id, m := range held {
		doomed[id] = e.In(m, gone)
	}
	var all []string
	for object := range own {
		id, ok := idOf(object)
		if !ok {
			continue
		}
		path := object[len(folderOf(id)):]
		_, its := held[id].Find(path)
		if its && slices.Contains(doomed[id], path) || !its && paths[path] {
			all = append(all, object)
		}
	}
	slices.Sort(all)
	return all
}
