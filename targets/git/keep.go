package git

import (
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
)

// addKept adds .nojekyll and CNAME where the site has none, those of the live branch or our
// own, and the live files that the config keeps.
func (t *Target) addKept(live *objects.Snapshot, l *layout) {
	taken := map[string]bool{}
	for p := range l.files {
		first, _, _ := strings.Cut(p, "/")
		taken[first] = true
	}
	for _, name := range []string{noJekyll, cnameTxt} {
		old, kept := live.Files[name]
		kept = kept && old.Mode.IsFile() && old.Mode != filemode.Symlink
		switch {
		case taken[name]:
			continue
		case name == cnameTxt && t.cname != "":
			l.add(name, []byte(t.cname+"\n"))
		case kept:
			l.files[name] = old
		case name == noJekyll:
			l.add(name, nil)
		default:
			continue
		}
		l.said.Kept = append(l.said.Kept, name)
	}
	t.keepFiles(live, l)
	t.leaveInGrace(live, l)
}

// keepFiles adds the live files that the config keeps, as they are in the live tree.
func (t *Target) keepFiles(live *objects.Snapshot, l *layout) {
	l.said.Keep = t.keep
	if len(t.keep) == 0 {
		return
	}
	for path, e := range live.Files {
		_, taken := l.files[path]
		switch {
		case taken, path == noJekyll, path == cnameTxt, path == live.Beacon, site.IsSums(path), !t.keep.Match(path):
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

// ownOfStaged is ownOf for a staged tree, whose release is not at hand.
func ownOfStaged(staged objects.Commit, tree *objects.Snapshot, keep targets.Keep) []string {
	var own []string
	for path := range tree.Files {
		if keep.Match(path) && !staged.Beside(path) {
			own = append(own, path)
		}
	}
	slices.Sort(own)
	return own
}

// siteFiles are the live files without the beacon and the manifest, and without what is kept whatever the
// site says; the site's own files of those names count.
func (t *Target) siteFiles(live *objects.Snapshot, rel *site.Release) map[string]objects.Entry {
	files := make(map[string]objects.Entry, len(live.Files))
	for path, e := range live.Files {
		if _, own := rel.Manifest.Find(path); !own && (path == noJekyll || path == cnameTxt || path == live.Beacon || path == rel.BeaconPath || site.IsSums(path) || t.keep.Match(path) || live.Grace.Has(path)) {
			continue
		}
		files[path] = e
	}
	return files
}
