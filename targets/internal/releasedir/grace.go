package releasedir

import (
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
)

// graceExt ends the name of the file that lists the files of earlier releases in a copy.
const graceExt = ".grace"

// GraceName returns the name of the list of the files of earlier releases that are in a release's folder.
func GraceName(id site.ID) string { return string(id) + graceExt }

// Own returns the function that reports whether a path is of a file of m.
func Own(m site.Manifest) func(path string) bool {
	return func(path string) bool { _, own := m.Find(path); return own }
}

// Beside returns the function that reports whether a file in the folder of the release m is not the release's: the
// config keeps it, or the list l of files of earlier releases has it.
func Beside(keep targets.Keep, m site.Manifest, l grace.List) func(path string) bool {
	kept := keep.Beside(m)
	if len(l) == 0 {
		return kept
	}
	l = l.Without(Own(m))
	return func(path string) bool { return kept(path) || l.Has(path) }
}

// Grace holds the lists of files of earlier releases for a publish: beside what is live, and beside the release in
// its place.
type Grace struct{ Now, Next grace.List }
