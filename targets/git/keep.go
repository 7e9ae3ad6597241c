package git

import (
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
)

// keepFiles adds the live files that the config keeps, as they are in the live tree.
func (t *Target) keepFiles(live *objects.Snapshot, l *layout) {
	l.said.Keep = t.keep
	if len(t.keep) == 0 {
		return
	}
	for path, e := range live.Files {
		_, taken := l.files[path]
		switch {
		case taken, path == noJekyll, path == cnameTxt, path == live.Beacon, !t.keep.Match(path):
			continue
		}
		l.files[path] = e
		l.kept = append(l.kept, path)
	}
	slices.Sort(l.kept)
}

// ownOf lists the paths that a release has although they match the globs.
func ownOf(rel *site.Release, keep targets.Keep) []string {
	var own []string
	if len(keep) > 0 {
		for _, f := range rel.Manifest {
			if keep.Match(f.Path) {
				own = append(own, f.Path)
			}
		}
	}
	return own
}

// ownAgain is ownOf for a staged tree, whose release is not at hand.
func ownAgain(staged objects.Commit, tree *objects.Snapshot, keep targets.Keep) []string {
	var own []string
	for path := range tree.Files {
		if keep.Match(path) && !staged.Beside(path) {
			own = append(own, path)
		}
	}
	slices.Sort(own)
	return own
}

// stays lists all files beside the release's, in path order.
func (l *layout) stays() []string {
	return slices.Sorted(slices.Values(slices.Concat(l.said.Kept, l.kept)))
}

// siteFiles are the live files without the beacon and without what is kept whatever the
// site says; the site's own files of those names count.
func (t *Target) siteFiles(live *objects.Snapshot, rel *site.Release) map[string]objects.Entry {
	files := make(map[string]objects.Entry, len(live.Files))
	for path, e := range live.Files {
		if _, own := rel.Manifest.Find(path); !own && (path == noJekyll || path == cnameTxt || path == live.Beacon || path == rel.BeaconPath || t.keep.Match(path)) {
			continue
		}
		files[path] = e
	}
	return files
}
