// Package releasedir is the layout of a folder that serves one of several releases through a symbolic link, on
// this machine (targets/dir) or on another host (targets/ssh):
//
//	current             the link, to releases/<id> or releases/<id>.<n>
//	releases/<id>       a copy of a release; <id>.2 and so on are later copies of the same release
//	releases/<id>.sha256  the release's files, as sha256sum -c reads them; its time says when the release went live
//	releases/<id>.grace   the files of earlier releases that are in the copy too
//	releases/….partial  what is being made
//	.mirror.notes       the notes of package targets
//	.mirror.erased      what was removed for good
//
// The package names these files, reads their text, and says from a listing of releases/ which releases are held,
// which were live and which may go. It reads and writes no file itself: a target lists the folder and passes the
// listing, so that both kinds have one layout and one set of rules.
package releasedir

import (
	"path"
	"strconv"
	"strings"

	"mirror/site"
)

// Names in the folder.
const (
	Releases = "releases"       // the folder of the copies
	Current  = "current"        // the link
	Partial  = ".partial"       // ends the name of what is being made
	Notes    = ".mirror.notes"  // beside the releases, where no visitor sees it
	Erased   = ".mirror.erased" // records what was removed from here
)

// Link returns the text of the link to something in the folder of the releases.
func Link(name string) string { return path.Join(Releases, name) }

// IDOfLink returns the release that the text of a link names, releases/<id> or releases/<id>.<n>; site.None where it
// names none.
func IDOfLink(link string) site.ID {
	name, ok := strings.CutPrefix(link, Releases+"/")
	if !ok {
		return site.None
	}
	return IDOfName(name)
}

// IDOfName returns the release to which something in the folder of the releases belongs, by its name; site.None where it
// belongs to none.
func IDOfName(name string) site.ID {
	name, _, _ = strings.Cut(name, ".")
	id, err := site.ParseID(name)
	if err != nil {
		return site.None
	}
	return id
}

// IsPartial reports whether a name in the folder of the releases is of something that is being made, or that an
// interrupted publish left.
func IsPartial(name string) bool {
	return strings.HasSuffix(name, Partial) && IDOfName(name) != site.None
}

func copyName(id site.ID, n int) string {
	if n == 1 {
		return string(id)
	}
	return string(id) + "." + strconv.Itoa(n)
}

// Folders returns the set of the folders that files are in.
func Folders(files site.Manifest) map[string]bool {
	folders := map[string]bool{}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "." && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	return folders
}
