package targets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/site"
)

// Keep holds doublestar globs of the paths of a place that are not the site's: what a web
// application stores there. A file that matches, and that the release has not, is kept. The
// release's own files are published whatever the globs say. A glob without a wildcard that names
// a folder stands for all that the folder holds.
type Keep []string

// Match reports whether a path is kept where the release has no such file.
func (k Keep) Match(path string) bool {
	return slices.ContainsFunc(k, func(glob string) bool {
		return doublestar.MatchUnvalidated(glob, path) ||
			!strings.ContainsAny(glob, `*?[\`) && doublestar.MatchUnvalidated(glob+"/**", path)
	})
}

// Beside returns the function that tells which paths are kept beside the files of m.
func (k Keep) Beside(m site.Manifest) func(path string) bool {
	if len(k) == 0 {
		return func(string) bool { return false }
	}
	return func(path string) bool {
		if !k.Match(path) {
			return false
		}
		_, own := m.Find(path)
		return !own
	}
}

// Clash returns a *RefusedError where a kept path is a folder of a file of the release, or the
// other way round: no file system can hold both. kept is in path order.
func (k Keep) Clash(rel *site.Release, kept []string) error {
	if len(kept) == 0 {
		return nil
	}
	refused := func(path, other string) error {
		return &RefusedError{
			Path: path, Reason: fmt.Sprintf("the site has this file, and %q is kept: one of them would have to be the other's folder", other),
			Hint: "rename one of them, or take it out of publish.keep",
		}
	}
	for _, f := range rel.Manifest {
		if i, _ := slices.BinarySearch(kept, f.Path+"/"); i < len(kept) && strings.HasPrefix(kept[i], f.Path+"/") {
			return refused(f.Path, kept[i])
		}
		for i := range len(f.Path) {
			if f.Path[i] != '/' {
				continue
			}
			if _, there := slices.BinarySearch(kept, f.Path[:i]); there {
				return refused(f.Path, f.Path[:i])
			}
		}
	}
	return nil
}
