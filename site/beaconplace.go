package site

import (
	"io"
	"io/fs"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// validateBeacon refuses a beacon that would take the place of a file of the site, or a path that cannot be there
// beside one. A beacon of an earlier publish that lies in the site's folder is left out.
func (w *walk) validateBeacon() {
	beacon := w.options.BeaconPath
	if beacon == "" {
		return
	}
	const hint = "choose another path as site.beacon"
	for _, f := range w.files {
		if strings.HasPrefix(beacon, f.path+"/") {
			w.refuse(f.path, "the path of the beacon leads through this file", hint)
			return
		}
	}
	info, err := fs.Stat(w.fsys, beacon)
	switch {
	case err != nil || beacon == DefaultBeacon || w.excludedByGlob(beacon):
	case info.IsDir():
		w.refuse(beacon, "a folder of the site is where the beacon would be", hint)
	case info.Mode().IsRegular() && w.isPage(beacon):
		w.refuse(beacon, "the beacon would take the place of this file", hint)
	}
}

// isPage reports whether a file of the site is not a beacon.
func (w *walk) isPage(name string) bool {
	file, err := w.fsys.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxBeacon+1))
	if err != nil {
		return true
	}
	_, err = ParseBeacon(text)
	return err != nil
}

func (w *walk) excludedByGlob(name string) bool {
	for _, glob := range w.options.Exclude {
		if doublestar.MatchUnvalidated(glob, name) {
			return true
		}
	}
	return false
}
