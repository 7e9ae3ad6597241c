package s3

import (
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets/grace"
	"mirror/targets/s3/internal/documents"
)

// fillable picks the files that may go in place beside a live release, which has entries: new ones that have a hash
// of their content in their name. No page of the live release asks for them. Files whose content the bucket has
// already, and those that cannot lie beside what is there, are left out.
func fillable(rel *site.Release, live, want documents.Entries, inv inventory, c comparison) []string {
	hashed := grace.In(rel.Manifest, manifestOf(live))
	elsewhere := map[site.Digest]bool{}
	for _, known := range c.known {
		elsewhere[known.Digest] = true
	}
	folders := foldersOf(inv)
	var all []string
	for _, path := range c.Add {
		e := want[path]
		_, filled := inv.filled[path]
		_, lived := live[path]
		held := inv.holds(e.Digest, e.Size) || elsewhere[e.Digest]
		if filled && inv.fill.entries[path] == e || hashed(path) && !filled && !lived && !held && !blocked(path, inv, folders) {
			all = append(all, path)
		}
	}
	return all
}

// foldersOf are the paths that are folders of objects.
func foldersOf(inv inventory) map[string]bool {
	folders := map[string]bool{}
	for path := range inv.site {
		for i := strings.LastIndexByte(path, '/'); i > 0 && !folders[path[:i]]; i = strings.LastIndexByte(path[:i], '/') {
			folders[path[:i]] = true
		}
	}
	return folders
}

// blocked reports whether a file is a folder of what is there, or has a file for a folder.
func blocked(path string, inv inventory, folders map[string]bool) bool {
	if folders[path] {
		return true
	}
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		if _, file := inv.site[path[:i]]; file {
			return true
		}
	}
	return false
}

// without is a list without the paths of another, both in order.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(path string) bool {
		_, is := slices.BinarySearch(some, path)
		return is
	})
}
