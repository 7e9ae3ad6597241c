package site

import (
	"bytes"
	"strings"
)

// SumsFolder is where origins serve the manifest of the release that is live, as ID.sums.
const SumsFolder = ".well-known/mirror/"

const sumsExt = ".sums"

// SumsPath is where origins serve the manifest of a release, as a manifest path. What lies there is no file of
// the site: the manifest cannot name itself.
func SumsPath(id ID) string { return SumsFolder + string(id) + sumsExt }

// IsSums reports whether a path is that of the manifest of some release.
func IsSums(path string) bool {
	_, ok := SumsOf(path)
	return ok
}

// SumsOf returns the release whose manifest a path is that of.
func SumsOf(path string) (ID, bool) {
	name, below := strings.CutPrefix(path, SumsFolder)
	name, ends := strings.CutSuffix(name, sumsExt)
	if !below || !ends {
		return None, false
	}
	id, err := ParseID(name)
	return id, err == nil && string(id) == name
}

// SumsPath is where the release's manifest goes live beside its files, "" for nowhere.
func (r *Release) SumsPath() string {
	if !r.PublishManifest {
		return ""
	}
	return SumsPath(r.ID())
}

// Sums returns the bytes to serve at SumsPath: their SHA-256 is the release's ID.
func (r *Release) Sums() []byte {
	m := r.Manifest
	if r.original != nil {
		m = r.original
	}
	var text bytes.Buffer
	_, _ = m.WriteTo(&text) // a buffer takes everything
	return text.Bytes()
}

// Beside returns the files that go live beside the release's own: its beacon, and its manifest.
func (r *Release) Beside() map[string][]byte {
	files := map[string][]byte{}
	if r.BeaconPath != "" {
		files[r.BeaconPath] = r.Beacon()
	}
	if path := r.SumsPath(); path != "" {
		files[path] = r.Sums()
	}
	return files
}
